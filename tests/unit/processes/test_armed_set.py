"""Armed set = approved set, compared each minute; what differs is named (R8)."""

import msgspec
import pytest

from automations import blueprint as blueprints
from automations.compile_rule import instantiate
from automations.engine import Engine
from automations.rehearsal import Rehearsal
from automations.stage import Stage
from core import config
from core.alarms.state import AlarmRecord
from core.config import Bundle, Rule
from core.hub import CORE
from core.processes.arming import Arming
from core.processes.events import ConfigArmed
from tests.unit.processes.test_two_persons import Store

BLUEPRINT = blueprints.read(blueprints.SHIPPED / "gas-alarm-response.yaml")
NAMES = ("gas-a", "gas-b")


def rule(name: str) -> Rule:
    return instantiate(
        BLUEPRINT,
        rule_id=name,
        mode="enforce",
        given={"chain": "gas", "zones": ["tank"] if name == "gas-a" else ["all"]},
        zones={"tank", "yard"},
        chains={"gas"},
    )


class Hub:
    """A kernel with the engine, whose bundle was armed as it is on a site."""

    def __init__(self) -> None:
        base: Bundle = Stage(BLUEPRINT, BLUEPRINT.tests[0]).bundle
        self.bundle = msgspec.structs.replace(base, rules=tuple(map(rule, NAMES)))
        self.rehearsal = Rehearsal(base)
        self.store = Store()
        kernel = self.rehearsal.kernel
        self.arming = Arming(kernel, self.store, lambda _digest, _data: None)
        self.arming.arm(self.store.put(self.bundle), "os:root", CORE)
        self.arming.report()
        (self.engine,) = [r for r in kernel.hub.rooms if isinstance(r, Engine)]

    def minute(self) -> dict[str, AlarmRecord]:
        """Let the check of a minute run; return the alarms about rules by rule."""
        self.rehearsal.run_to(self.rehearsal.time() + 61)
        found = self.rehearsal.kernel.alarms.active(kind_prefix="fault.rule.differs")
        return {str(alarm.params["rule"]): alarm for alarm in found}


def test_the_journal_tells_which_rules_are_approved() -> None:
    hub = Hub()
    (armed,) = [b for _, b, _ in hub.rehearsal.events if isinstance(b, ConfigArmed)]
    assert armed.rules == {each.id: each.hash for each in hub.bundle.rules}
    assert hub.minute() == {}


@pytest.mark.parametrize("table", ["rules", "near", "everywhere"])
def test_a_rule_that_fell_out_of_a_table_is_named(table: str) -> None:
    """R8: whichever of the engine's own tables loses it, within a minute."""
    hub = Hub()
    assert hub.minute() == {}
    if table == "rules":
        lost = "gas-a"
        del hub.engine.rules["gas-a"]
    elif table == "near":
        lost = "gas-a"
        hub.engine._near.clear()
    else:
        lost = "gas-b"
        hub.engine._everywhere.clear()
    (alarm,) = hub.minute().values()
    assert alarm.params == {"rule": lost, "why": "rule.differs.missing"}
    assert (alarm.source, alarm.priority) == (f"rule:{lost}", 1)


def test_another_version_and_a_stranger_are_named_and_end_with_their_mending() -> None:
    hub = Hub()
    kernel = hub.rehearsal.kernel
    rules = kernel.hub.bundle.rules
    other = msgspec.structs.replace(rules[0], hash="0" * 64)
    stranger = msgspec.structs.replace(rules[1], id="stranger")
    # Behind the approval's back: the room is handed other rules.
    kernel.hub.bundle = msgspec.structs.replace(
        kernel.hub.bundle, rules=(other, rules[1], stranger)
    )
    hub.engine.arm()
    found = hub.minute()
    assert {name: alarm.params["why"] for name, alarm in found.items()} == {
        "gas-a": "rule.differs.other",
        "stranger": "rule.differs.unapproved",
    }
    hub.arming.load()
    assert hub.minute() == {}


def test_a_selector_that_finds_nothing_any_more_is_named() -> None:
    """R10: armed means that it looks at something."""
    lone = blueprints.read(blueprints.SHIPPED / "height-wind.yaml")
    made = instantiate(
        lone,
        rule_id="wind",
        mode="enforce",
        given={"chain": "gas"} if "chain" in lone.inputs else {},
        zones={"tank", "yard"},
        chains={"gas"},
    )
    hub = Hub()
    bundle = msgspec.structs.replace(hub.bundle, rules=(*hub.bundle.rules, made))
    hub.arming.arm(hub.store.put(bundle), "os:root", CORE)
    assert set(hub.minute()) == {"wind"}
    assert (
        config.digest(hub.arming.data) == hub.rehearsal.kernel.hub.state.hub.config_hash
    )
