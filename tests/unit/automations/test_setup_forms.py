"""Forms of integrations as JSON Schema: every bundled flow converts (issue 5 §2)."""

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import voluptuous as vol
from hypothesis import given
from hypothesis import strategies as st

from automations.publish import with_hosts
from automations.setup import answer
from core import config
from core.api import asking, forms
from core.api.errors import ConfigError
from core.api.packages import packages
from core.processes.setups import SetupAnswer, SetupAsk


def told(found: SetupAnswer) -> str:
    """Return what is wrong, in English."""
    assert found.problem is not None
    return found.problem.en


@pytest.mark.parametrize("name", sorted(packages()))
def test_every_bundled_flow_converts(name: str) -> None:
    manifest = packages()[name].manifest
    module, _, make = manifest.flow.partition(":")
    told = asking.answer(importlib.import_module(module), make, "forms", {"facts": {}})
    assert told["forms"]
    for step in told["forms"]:
        form = step["form"]
        assert form["type"] == "object" and form["properties"]
        assert json.loads(json.dumps(form)) == form
        assert "secrets" not in form["properties"]


SECRETIVE = re.compile(r"pass|secret|token|psk|credential|(^|_)key$")


def fields(form: dict[str, Any], at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every field of a form, however deep."""
    for name, each in form.get("properties", {}).items():
        yield f"{at}.{name}", each
        yield from fields(each, f"{at}.{name}")
    for inner in (form.get("items"), form.get("additionalProperties")):
        if isinstance(inner, dict):
            yield from fields(inner, at)
    for inner in form.get("anyOf", ()):
        yield from fields(inner, at)


@pytest.mark.parametrize("name", sorted(packages()))
def test_every_field_that_sounds_like_a_secret_is_one(name: str) -> None:
    """What is not marked would stand in the bundle as it was typed."""
    module, _, make = packages()[name].manifest.flow.partition(":")
    form = forms.describe(getattr(importlib.import_module(module), make)())
    for at, each in fields(form):
        if SECRETIVE.search(at.rpartition(".")[2]):
            assert each.get("x-secret"), at
        assert "x-json" not in each, f"{at}: let its check say what it returns"


def one_of(*allowed: object) -> Any:
    def check(value: object) -> object:
        if value not in allowed:
            raise vol.Invalid("expected another")
        return value

    return check


def whole(low: int, high: int) -> Any:
    def check(value: object) -> int:
        if type(value) is not int or not low <= value <= high:
            raise vol.Invalid("expected another")
        return value

    return check


CASES: list[tuple[Any, dict[str, Any]]] = [
    (str, {"type": "string"}),
    (bool, {"type": "boolean"}),
    (vol.Coerce(float), {"type": "number"}),
    (vol.In(["a", "b"]), {"enum": ["a", "b"]}),
    (vol.Any("a", "b"), {"enum": ["a", "b"]}),
    (vol.Match(r"^\d+$"), {"type": "string", "pattern": r"^\d+$"}),
    (vol.All(int, vol.Range(1, 9)), {"type": "integer", "minimum": 1, "maximum": 9}),
    ([str], {"type": "array", "items": {"type": "string"}}),
    (one_of("on", "off"), {"enum": ["off", "on"]}),
    (
        whole(0, 255),
        {"type": "integer", "x-check": "check", "minimum": 0, "maximum": 255},
    ),
    ("own", {"const": "own"}),
]


@pytest.mark.parametrize(("schema", "form"), CASES, ids=[str(f) for _, f in CASES])
def test_what_a_field_may_be_is_told(schema: Any, form: dict[str, Any]) -> None:
    assert forms.describe(schema) == form


def test_keys_tell_labels_defaults_and_secrets() -> None:
    form = forms.describe(
        {
            vol.Required(
                "host", description={"label": {"zh": "地址", "en": "Host"}}
            ): str,
            vol.Optional("port", default=502): int,
            vol.Optional("password", description={"secret": True}): str,
            vol.Exclusive("tcp", "place"): str,
            vol.Exclusive("serial", "place"): str,
            vol.Optional("secrets", default={}): dict,
        }
    )
    assert form["required"] == ["host"]
    assert form["properties"]["host"]["x-label"]["en"] == "Host"
    assert form["properties"]["port"]["default"] == 502
    assert form["properties"]["password"]["x-secret"] is True
    assert form["x-exclusive"] == [["tcp", "serial"]]
    assert "secrets" not in form["properties"]


SECRET = {
    vol.Required("key", description={"secret": True}): str,
    vol.Optional("n"): int,
}
TREE = vol.Schema({vol.Required("nodes"): [SECRET], vol.Optional("top"): SECRET})
WORDS = st.text("abcdef", min_size=1, max_size=6)
NODE = st.fixed_dictionaries({"key": WORDS}, optional={"n": st.integers(0, 9)})


@given(
    st.fixed_dictionaries({"nodes": st.lists(NODE, max_size=4)}, optional={"top": NODE})
)
def test_every_secret_of_a_value_is_found(value: dict[str, Any]) -> None:
    """What is marked secret anywhere in a form never goes on with the options."""
    form = forms.describe(TREE)
    paths = list(forms.secrets(form, value))
    assert len(paths) == len(value["nodes"]) + ("top" in value)
    for path in paths:
        assert forms.get(value, path)
        forms.put(value, path, "name")
    assert json.dumps(value).count('"name"') == len(paths)


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["nodes", "top", "key", "n"]), inner)
        ),
        max_leaves=12,
    )
)
def test_whatever_was_typed_makes_no_error(value: Any) -> None:
    """A form that was filled in with nonsense is answered, never broken."""
    form = forms.describe(TREE)
    list(forms.secrets(form, value))
    checked, errors = forms.check(TREE, value)
    assert (checked is None) == bool(errors)


def test_a_wrong_question_is_answered(tmp_path: Path) -> None:
    ask = SetupAsk(op="forms", data=str(tmp_path), integration="nothing")
    assert "nothing" in told(answer(ask))
    draft = SetupAsk(
        op="draft",
        data=str(tmp_path),
        bundle=config.dump(config.EMPTY),
        kind="change",
        instance="x",
    )
    assert "there is no 'x'" in told(answer(draft))


def test_what_stands_in_the_files_is_not_changed_here(tmp_path: Path) -> None:
    host = config.IntegrationConfig(id="x", integration="mqtt")
    bundle = config.dump(config.Bundle(site=config.EMPTY.site, integrations=(host,)))
    ask = SetupAsk(
        op="draft", data=str(tmp_path), bundle=bundle, kind="remove", instance="x"
    )
    assert "stands in the site's files" in told(answer(ask))


def asked(tmp_path: Path, bundle: config.Bundle, **more: Any) -> SetupAsk:
    fields: dict[str, Any] = {
        "op": "draft", "data": str(tmp_path), "integration": "mqtt",
        "instance": "site", "bundle": config.dump(bundle), **more,
    }  # fmt: skip
    return SetupAsk(**fields)


def test_adding_loosens_nothing_and_changing_does(tmp_path: Path) -> None:
    options = asking.answer(
        importlib.import_module("integrations.mqtt.flow"),
        "schema",
        "check",
        {"options": {"broker": {"host": "h", "password": "site.broker.password"}}},
    )["options"]
    made = answer(asked(tmp_path, config.EMPTY, options=options)).draft
    assert made is not None
    assert (made.kind, made.two, made.looser) == ("integration", False, ())
    file = tmp_path / "bundles" / f"{made.hash}.bundle"
    bundle = config.load(file.read_bytes())
    (host,) = bundle.integrations
    assert (host.made, host.id) == ("hub", "site")
    assert "site.broker.password" in host.secrets
    assert host.contract is not None and host.contract.proof == ("code", "button")
    changed = answer(
        asked(tmp_path, bundle, kind="change", options={**options, "port": 1884})
    ).draft
    gone = answer(asked(tmp_path, bundle, kind="remove")).draft
    assert changed is not None and changed.two
    assert gone is not None and gone.two
    again = answer(asked(tmp_path, bundle, options=options))
    assert "there is 'site' already" in told(again)


def test_a_publish_keeps_what_was_set_up_here(tmp_path: Path) -> None:
    """Files leave alone what was made at the hub, or say why it does not fit."""
    host = config.IntegrationConfig(id="site", integration="mqtt", made="hub")
    files = config.IntegrationConfig(id="old", integration="mqtt")
    kept = with_hosts(config.EMPTY, (host, files), tmp_path)
    assert [(e.id, e.made) for e in kept.integrations] == [("site", "hub")]
    assert kept.integrations[0].options["port"] == 1883
    for bad, said in (
        (msgspec.structs.replace(host, integration="gone"), "nowhere to be found"),
        (msgspec.structs.replace(host, options={"port": "x"}), "port"),
    ):
        with pytest.raises(ConfigError, match=said):
            with_hosts(config.EMPTY, (bad,), tmp_path)
