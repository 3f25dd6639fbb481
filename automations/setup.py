"""The worker that sets integrations up: one question in, one answer out (issue 5 §2).

The gateway starts it for each question; secrets come on its input and go nowhere
else. Forms of the hub's own integrations are read here, those of others answer from
a confined process. A draft is the bundle in force with one integration changed.
"""

import copy
import resource
import secrets as chance
import sys
from pathlib import Path
from typing import Any

import msgspec

from automations.integrations import configured, query
from automations.publish import HUB_MADE, store
from automations.schema_words import ident
from core import config
from core.api import forms
from core.api.errors import ConfigError
from core.api.manifest import Manifest
from core.api.packages import Package, packages
from core.api.said import Said
from core.clock import RealClock
from core.config import Bundle, IntegrationConfig
from core.names import Names
from core.processes import drafts
from core.processes.drafts import DiffLine, Draft, Looser
from core.processes.loosening import joins, loosens
from core.processes.setups import (
    KINDS,
    Form,
    FormError,
    PackageCard,
    SetupAnswer,
    SetupAsk,
)
from core.texts.sentences import both

#: Bounds of one question: bytes of memory, seconds of processor.
_MEMORY, _SECONDS = 1 << 30, 60


def answer(ask: SetupAsk) -> SetupAnswer:
    """Return the answer to one question."""
    try:
        if ask.op == "packages":
            return _packages(Path(ask.data))
        if ask.op == "draft":
            return SetupAnswer(draft=draft(ask))
        package = _package(ask)
        work = {"forms": _forms, "check": _check, "probe": _probe}[ask.op]
        return work(ask, package)
    except ConfigError as bad:
        return SetupAnswer(problem=both(bad))


def _packages(data: Path) -> SetupAnswer:
    try:
        found = packages(data)
    except ConfigError as bad:
        # A bad package of the site hides none of the hub's own.
        return SetupAnswer(
            problem=both(bad), packages=[_card(each) for each in packages().values()]
        )
    return SetupAnswer(packages=[_card(each) for each in found.values()])


def _card(package: Package) -> PackageCard:
    manifest: Manifest = package.manifest
    return PackageCard(
        id=manifest.id,
        zh=manifest.names.zh,
        en=manifest.names.en,
        version=manifest.version,
        iot_class=manifest.iot_class,
        grade=manifest.grade,
        safety_scale=manifest.safety_scale,
        ours=package.ours,
        tests=_offers(package, "probe"),
        proof=manifest.proof,
        kinds=tuple(str(kind) for kind in manifest.kinds),
    )


def _offers(package: Package, name: str) -> bool:
    """Say whether a form offers a function, without running a line of it."""
    module = package.manifest.flow.partition(":")[0].rpartition(".")[2]
    try:
        text = (package.folder / f"{module}.py").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return f"def {name}(" in text


def _package(ask: SetupAsk) -> Package:
    package = packages(Path(ask.data)).get(ask.integration)
    if package is None:
        raise ConfigError(
            Said(
                "there is no integration {integration!r} at hand",
                integration=ask.integration,
            )
        )
    return package


def _forms(ask: SetupAsk, package: Package) -> SetupAnswer:
    """Return every step's form, and options made of the finding."""
    told = query(package, "forms", {"facts": ask.facts})
    names = package.manifest.names
    return SetupAnswer(
        forms=[
            Form(
                step=step["step"],
                zh=step["zh"] or names.zh,
                en=step["en"] or names.en,
                form=step["form"],
            )
            for step in told["forms"]
        ],
        options=told["options"],
    )


def _check(ask: SetupAsk, package: Package) -> SetupAnswer:
    """Check one step, or with step '' all options; secrets give way to their names."""
    told = query(package, "forms", {"facts": {}})
    shapes = {each["step"]: each["form"] for each in told["forms"]}
    options = copy.deepcopy(ask.options)
    named: dict[str, str] = {}
    hidden: list[forms.Path] = []
    for shape in [shapes[ask.step]] if ask.step in shapes else shapes.values():
        _keep(shape, options, ask.kept)
        for path in list(forms.secrets(shape, options)):
            typed = forms.get(options, path)
            hidden.append(path)
            if (
                ask.step
                and isinstance(typed, str)
                and typed != forms.get(ask.kept, path)
            ):
                name = _name(ask, path)
                named[name] = typed
                forms.put(options, path, name)
    checked = query(package, "check", {"step": ask.step, "options": options})
    return SetupAnswer(
        options=checked.get("options") or {},
        secrets=named,
        hidden=[tuple(path) for path in hidden],
        errors=[_error(each) for each in checked.get("errors", ())],
    )


def _keep(shape: forms.Form, options: Any, kept: dict[str, Any]) -> None:
    """Let a stored secret stay where none was typed in its place."""
    for path in forms.secrets(shape, kept):
        parent = forms.get(options, path[:-1])
        known = isinstance(parent, dict) or path[:-1] == ()
        if known and not forms.get(options, path):
            forms.put(options, path, forms.get(kept, path))


def _name(ask: SetupAsk, path: forms.Path) -> str:
    """Return a new name: what is in force keeps its own until this one is armed."""
    name = ".".join([ask.instance, *map(str, path)])
    number, made = 2, name
    while made in ask.secrets or made in _named(ask):
        number, made = number + 1, f"{name}.{number}"
    return made


def _named(ask: SetupAsk) -> set[str]:
    known = config.load(ask.bundle) if ask.bundle else config.EMPTY
    return {name for each in known.integrations for name in each.secrets}


def _probe(ask: SetupAsk, package: Package) -> SetupAnswer:
    """Try the connection, where the integration can."""
    told = query(package, "probe", {"options": ask.options, "secrets": ask.secrets})
    return SetupAnswer(
        facts={str(k)[:80]: str(v)[:200] for k, v in told.get("facts", {}).items()},
        errors=[_error(each) for each in told.get("errors", ())],
    )


def _error(given: dict[str, Any]) -> FormError:
    return FormError(
        path=tuple(given.get("path", ())),
        message=Names(
            zh=str(given.get("zh") or given.get("message", ""))[:500],
            en=str(given.get("message", ""))[:500],
        ),
        code=str(given.get("code", "")),
    )


# --- drafts -------------------------------------------------------------------------


def draft(ask: SetupAsk) -> Draft:
    """Return the stored draft of one integration added, changed or removed."""
    armed = config.load(ask.bundle)
    old = next((e for e in armed.integrations if e.id == ask.instance), None)
    new = _wanted(ask, old)
    bundle = _with(armed, ask.instance, new)
    looser = tuple(
        Looser(e.part, e.about, e.path, e.old, e.new) for e in loosens(armed, bundle)
    )
    made = Draft(
        id=chance.token_hex(8),
        kind=drafts.HOST,
        rule="",
        by=ask.by,
        made_ms=RealClock().wall_ns() // 1_000_000,
        base=ask.base,
        hash=store(config.dump(bundle), Path(ask.data)),
        diff=_told(ask.instance, old, new),
        looser=looser,
        two=bool(looser) or bool(joins(armed, bundle)),
    )
    drafts.save(Path(ask.data), made)
    return made


def _wanted(ask: SetupAsk, old: IntegrationConfig | None) -> IntegrationConfig | None:
    if ask.kind not in KINDS:
        raise ConfigError(
            Said("{kind!r} is none of {kinds}", kind=ask.kind, kinds=list(KINDS))
        )
    ident(ask.instance)
    if ask.kind == "add" and old is not None:
        raise ConfigError(
            Said(
                "there is {instance!r} already; take another name",
                instance=ask.instance,
            )
        )
    if ask.kind != "add" and old is None:
        raise ConfigError(Said("there is no {instance!r}", instance=ask.instance))
    if old is not None and old.made != HUB_MADE:
        raise ConfigError(
            Said(
                "{instance} stands in the site's files: change it there, "
                "and publish them",
                instance=ask.instance,
            )
        )
    if ask.kind == "remove":
        return None
    package = _package(ask)
    made = configured(package, ask.instance, ask.options, _marked(ask, package))
    return msgspec.structs.replace(made, made=HUB_MADE)


def _marked(ask: SetupAsk, package: Package) -> tuple[str, ...]:
    """Return the names that stand where the form asks for a secret."""
    told = query(package, "forms", {"facts": {}})
    return tuple(
        str(forms.get(ask.options, path))
        for shape in told["forms"]
        for path in forms.secrets(shape["form"], ask.options)
        if forms.get(ask.options, path)
    )


def _with(armed: Bundle, name: str, new: IntegrationConfig | None) -> Bundle:
    kept = [each for each in armed.integrations if each.id != name]
    at = [each.id for each in armed.integrations]
    if new is not None:
        kept.insert(at.index(name) if name in at else len(kept), new)
    made = msgspec.structs.replace(armed, integrations=tuple(kept))
    # Once through the typed reader: what is armed reads back as the same bytes.
    return config.load(config.dump(made))


def _told(
    name: str, old: IntegrationConfig | None, new: IntegrationConfig | None
) -> tuple[DiffLine, ...]:
    """Say what changes; options may hold what is nobody's business, so not how."""
    if old is None and new is not None:
        return (DiffLine("+", f"集成 {name}", f"integration {name}"),)
    if new is None:
        return (DiffLine("-", f"集成 {name}", f"integration {name}"),)
    return (DiffLine("+", f"集成 {name}：设置已改", f"integration {name}: changed"),)


def main() -> int:
    """Answer the question on standard input; exit status 0 when it was one."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    try:
        ask = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=SetupAsk)
    except msgspec.MsgspecError as bad:
        sys.stderr.write(f"setup: {bad}\n")
        return 2
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer(ask)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
