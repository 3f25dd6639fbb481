"""Instances pin a hash; versions, signatures and the hub's age are judged (R25)."""

import re
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from automations import trust, versions
from automations.blueprint import read
from automations.publish import Checked, check
from core.api.errors import ConfigError

SITE = """
site: {{id: yard, names: {{zh: 工地, en: Yard}}}}
levels: [{{id: g, names: {{zh: 地, en: Ground}}}}]
zones:
  - {{id: tank, names: {{zh: 罐, en: Tank}}, level: g, polygon: [[0,0],[5,0],[5,5]]}}
people: [{{id: sam, name: Sam, roles: [safety_officer]}}]
notify: [{{id: gas, steps: [{{roles: safety_officer}}]}}]
{more}
automations:
  - {{id: room-1, blueprint: room, input: {{zones: [tank]}}}}
"""
ROOM = """
blueprint:
  id: room
  version: {version}
  name: {{zh: 房间, en: Room}}
  description: {{zh: 房间, en: Room}}
  {head}
  input:
    zones:
      name: {{zh: 区域, en: Zones}}
      selector: {{zone: {{multiple: true}}}}
on_unknown: fault
triggers:
  - {{trigger: alarm, kind: machine.hot, priority: {priority}, zone: !input zones}}
actions:
  - {{action: notify, roles: safety_officer, code: notice.rule.wind}}
"""


class Place:
    """A folder of files, and the data folder of a hub."""

    def __init__(self, tmp: Path) -> None:
        self.folder, self.data = tmp / "site", tmp / "data"
        (self.folder / "blueprints").mkdir(parents=True)
        self.file = self.folder / "blueprints" / "room.yaml"
        self.site()
        self.room()

    def site(self, more: str = "") -> None:
        (self.folder / "site.yaml").write_text(SITE.format(more=more), "utf-8")

    def room(self, version: str = "1.0.0", priority: int = 2, head: str = "") -> None:
        text = ROOM.format(version=version, priority=priority, head=head)
        self.file.write_text(text, "utf-8")

    def check(self, armed: Checked | None = None, *upgrade: str) -> Checked:
        bundle = armed.bundle if armed else None
        found = check(self.folder, bundle, self.data, upgrade)
        found.keep()
        return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_file_that_changes_alone_changes_nothing_that_is_armed(place: Place) -> None:
    first = place.check()
    assert first.held == ()
    place.room("1.1.0", priority=1)
    second = place.check(first)
    assert second.bundle == first.bundle
    (held,) = second.held
    assert (held.instance, held.pinned, held.there) == ("room-1", "1.0.0", "1.1.0")
    third = place.check(first, "room-1")
    assert third.held == ()
    assert third.bundle.rules[0].version == "1.1.0"


def test_a_change_without_a_new_version_is_refused_at_its_place(place: Place) -> None:
    first = place.check()
    place.room(priority=1)
    with pytest.raises(
        ConfigError, match=r"room.yaml:4:12: .*raise the version.*1\.0\.1"
    ):
        place.check(first)
    # A comment is no change of what it means.
    place.room()
    place.file.write_text("# words\n" + place.file.read_text("utf-8"), "utf-8")
    assert place.check(first).bundle == first.bundle


def test_a_pin_whose_source_is_gone_is_named_with_its_mend(place: Place) -> None:
    first = place.check()
    place.room("1.1.0", priority=1)
    for file in (place.data / "blueprints").iterdir():
        file.unlink()
    with pytest.raises(ConfigError, match="blueprint upgrade room-1"):
        place.check(first)


def test_a_rule_of_the_page_stays_when_files_are_published(place: Place) -> None:
    first = place.check()
    made = msgspec.structs.replace(first.bundle.rules[0], id="own", made="hub")
    bundle = msgspec.structs.replace(first.bundle, rules=(made,))
    armed = Checked(bundle, b"")
    again = place.check(armed)
    assert [rule.id for rule in again.bundle.rules] == ["room-1", "own"]
    text = (place.folder / "site.yaml").read_text("utf-8")
    moved = text.replace("id: tank", "id: pit").replace("[tank]", "[pit]")
    (place.folder / "site.yaml").write_text(moved, "utf-8")
    with pytest.raises(ConfigError, match=r"own, made at the page, does not fit"):
        place.check(armed)


@pytest.mark.parametrize(
    ("version", "head", "said"),
    [
        ("1.0", "", r"room.yaml:4:12: .*no semantic version"),
        ("01.0.0", "", "no semantic version"),
        ("1.0.0", "min_hub: 99.0.0", r"room.yaml:7:12: .*needs hub 99\.0\.0 or newer"),
        ("1.0.0", "min_hub: new", "min_hub: 'new' is no semantic version"),
    ],
)
def test_versions_are_semantic_and_an_old_hub_is_refused(
    place: Place, version: str, head: str, said: str
) -> None:
    place.room(version, head=head)
    with pytest.raises(ConfigError, match=said):
        place.check()


def test_versions_compare_by_their_numbers() -> None:
    order = ["1.0.0-alpha.2", "1.0.0-alpha.10", "1.0.0", "1.0.1", "1.10.0", "2.0.0"]
    for at, one in enumerate(order):
        assert all(versions.newer(one, other) for other in order[:at])
        assert not any(versions.newer(one, other) for other in order[at:])


def test_what_a_page_brought_is_never_a_file_s_by_itself(place: Place) -> None:
    """A new rule of the files takes theirs or the shipped one, not an uploaded one."""
    brought = place.file.read_text("utf-8").replace("1.0.0", "9.0.0")
    store = place.data / "blueprints"
    store.mkdir(parents=True)
    (store / "room@9.0.0-x.yaml").write_text(brought, "utf-8")
    assert place.check().bundle.rules[0].version == "1.0.0"


def test_an_input_of_something_else_s_name_is_refused_at_its_place(
    place: Place,
) -> None:
    """R25: validated against what this site has, also where its expression is free."""
    head = "input: {of: {name: {zh: 种类, en: Of}, selector: {permit_kind: {}}}}"
    text = ROOM.format(version="1.0.0", priority=2, head="")
    text = re.sub(r"  input:\n.*?on_unknown", f"  {head}\non_unknown", text, flags=re.S)
    place.file.write_text(text.replace("!input zones", "tank"), "utf-8")
    site = place.folder / "site.yaml"
    said = site.read_text("utf-8").replace("{zones: [tank]}", "{of: alchemy}")
    site.write_text(said, "utf-8")
    with pytest.raises(ConfigError, match=r"site.yaml:10:35: .*no permit kind 'alch"):
        place.check()


# --- signatures -------------------------------------------------------------------


def signed(place: Place, key: Ed25519PrivateKey, publisher: str = "acme") -> None:
    data = trust.sign(read(place.file), publisher, key)
    trust.beside(place.file).write_bytes(data)


def test_a_trusted_publisher_is_told_and_an_unsigned_one_is_shown_so(
    place: Place,
) -> None:
    assert place.check().bundle.rules[0].signer == ""
    key = Ed25519PrivateKey.generate()
    place.site(f"publishers: [{{id: acme, key: {trust.public_of(key)}}}]")
    signed(place, key)
    assert place.check().bundle.rules[0].signer == "acme"


def test_a_signature_that_does_not_hold_is_refused(place: Place) -> None:
    key, thief = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    signed(place, key)
    with pytest.raises(ConfigError, match=r"room.yaml.sig:1:1: .*does not trust"):
        place.check()
    place.site(f"publishers: [{{id: acme, key: {trust.public_of(key)}}}]")
    signed(place, thief)
    with pytest.raises(ConfigError, match="not acme's signature"):
        place.check()
    signed(place, key)
    place.room(priority=4)
    with pytest.raises(ConfigError, match="changed after acme had signed it"):
        place.check()
    trust.beside(place.file).write_text("sorry", "utf-8")
    with pytest.raises(ConfigError, match="sign the file again"):
        place.check()


def test_nobody_signs_as_the_hub_s_own_software(place: Place) -> None:
    key = trust.public_of(Ed25519PrivateKey.generate())
    place.site(f"publishers: [{{id: safehold, key: {key}}}]")
    with pytest.raises(ConfigError, match="publishers"):
        place.check()
