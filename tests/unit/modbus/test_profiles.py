"""Every bundled profile proves itself on its own vectors; faults name their place."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api import ConfigError, Quality
from core.api.documents import parse as parse_yaml
from core.api.documents import shipped
from integrations.modbus.decode import decode
from integrations.modbus.load import FOLDER, load, parse
from integrations.modbus.profile import Image, Profile, plan
from integrations.modbus.schema import REASON

VECTORS = [
    pytest.param(name, index, id=f"{name}: {vector.name}")
    for name in shipped(FOLDER)
    for index, vector in enumerate(load(name).vectors)
]


def blank(profile: Profile) -> Image:
    """Return an image in which every register that the profile reads is 0."""
    return {
        (b.function, b.address + i): 0 for b in profile.blocks for i in range(b.count)
    }


@pytest.mark.parametrize(("name", "index"), VECTORS)
def test_vector(name: str, index: int) -> None:
    """R16: inhibit, warm-up, fault and the like are qualities."""
    profile = load(name)
    vector = profile.vectors[index]
    image = blank(profile) | dict(vector.image)
    found = decode(profile, image, heartbeat_age_s=vector.heartbeat_age_s)
    for uid, expected in vector.expect.items():
        reading = found[uid]
        assert reading.quality.name.lower() == expected["quality"], uid
        reason = f"{REASON}{expected['reason']}" if expected["reason"] else ""
        assert reading.reason == reason, uid
        if "value" in expected:
            assert reading.value == expected["value"], uid


def test_xnx_that_reads_zero_while_inhibited_is_never_a_good_zero() -> None:
    """R16: of all states that the manual numbers, only 'normal' vouches for a 0."""
    profile = load("honeywell-xnx")
    image = blank(profile) | {(3, 0): 0x2401, (3, 10): 4}
    for state in range(256):
        gas = decode(profile, image | {(3, 6): state})["gas"]
        assert (gas.quality is Quality.GOOD) == (state == 1)


GOOD_FILE = (FOLDER / "cn-sf6-o2.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "below", "says"),
    [
        ("type: u16", "type: u17", 0, "expected one of u16"),
        ("{address: 0,", "{address: 70000,", 0, "expected 0-65535"),
        ("{address: 0,", "{register: 20001,", 0, "no register number"),
        ("from: oxygen", "from: oxigen", 0, "no register 'oxigen'"),
        ("poll_s: 2", "poll_s: -1", 0, "above 0"),
        ("poll_s: 2", "pol_s: 2", 0, "unknown key"),
        ("range: [0, 30]", "range: [30, 0]", 0, "[low, high]"),
        ("scale: 0.1", "scale: .nan", 0, "finite"),
        ("    range: [0, 30]\n", "    over_raw: 65535\n", -7, "needs a 'range'"),
        ("kind: gas", "kind: gaz", 0, "expected one of gas"),
        ("  oxygen:", "  sf6:", 0, "stands here twice"),
        ("version: 1", "version: [", 2, "not YAML"),
        ("zh: 氧气", "zh: yes", 0, "quote it"),
    ],
)
def test_fault_in_a_profile_names_line_and_what_was_expected(
    tmp_path: Path, old: str, new: str, below: int, says: str
) -> None:
    """Bad input: file, line, column and what was expected."""
    line = GOOD_FILE[: GOOD_FILE.index(old)].count("\n") + 1 + below
    file = tmp_path / "mine.yaml"
    file.write_text(GOOD_FILE.replace(old, new, 1), "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(str(file))
    text = str(caught.value)
    assert says in text
    assert text.startswith(f"{file}:{line}:"), text
    assert caught.value.params["line"] == line


@given(st.data())
def test_any_text_is_a_profile_or_an_error_with_a_place(data: st.DataObject) -> None:
    """Bad input: no file makes the loader raise anything else."""
    splice = data.draw(
        st.one_of(
            st.text(max_size=40),
            st.sampled_from(
                [
                    "&a [*a]",
                    "{[1]: 2}",
                    "<<: 1",
                    "2020-13-45",
                    "1e999",
                    "0x_",
                    "!!binary x",
                    "!!python/name:os.system",
                    "[" * 5000,
                    "9" * 5000,
                    "\x00",
                    ": :",
                ]
            ),
        )
    )
    at = data.draw(st.integers(0, len(GOOD_FILE)))
    cut = data.draw(st.integers(0, 20))
    text = GOOD_FILE[:at] + splice + GOOD_FILE[at + cut :]
    try:
        parse(parse_yaml(text, "mine.yaml"))
    except ConfigError as problem:
        assert str(problem).startswith("mine.yaml:")


@pytest.mark.parametrize("deep", ["[" * 150_000, "{a: " * 40_000, "- " * 90_000])
def test_deep_nesting_is_refused(deep: str) -> None:
    """A file must not end the process that reads it."""
    with pytest.raises(ConfigError, match="nested more than"):
        parse_yaml(deep, "deep.yaml")


def test_alias_bomb_is_refused() -> None:
    """Bounded time and memory for whatever a file says."""
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for n in range(1, 9):
        lines.append(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]")
    with pytest.raises(ConfigError, match="more than"):
        parse_yaml("\n".join(lines), "bomb.yaml")


def test_unknown_profile_names_those_there_are() -> None:
    """Errors name the mend."""
    with pytest.raises(ConfigError, match="honeywell-xnx"):
        load("honeywell-xmx")


def test_plan_joins_near_registers_and_splits_far_ones() -> None:
    """Fewest requests, never more than 125 registers in one."""
    cells = {(3, a) for a in (0, 1, 5, 6, 40)} | {(1, 0), (1, 7)}
    found = [(b.function, b.address, b.count) for b in plan(cells, 4)]
    assert found == [(1, 0, 1), (1, 7, 1), (3, 0, 7), (3, 40, 1)]
    wide = plan({(3, a) for a in range(300)}, 4)
    assert [b.count for b in wide] == [125, 125, 50]
