"""What a rule does when what it needs is missing, late or shared (design §5 Rules)."""

from typing import Any

import msgspec

from automations.compiled import compile_rule
from automations.engine import Engine
from automations.scope import Scope
from core.alarms.acts import AcknowledgeAlarm, ResetAlarm, ShelveAlarm
from core.alarms.events import AlarmRaised
from core.api.quality import Quality
from core.config import Names, Rule, Step, Trigger
from core.hub import Hub
from core.link.messages import Result
from core.logic.events import RuleSkipped, RunFinished, RunStarted, RunStepped
from core.logic.tree import Compare, Literal, Name
from core.permits.events import PermitHeld
from tests.support.yard import HOST, Yard

NAMES = Names(zh="r", en="r")


def trigger(subject: str, **fields: Any) -> Trigger:
    return Trigger(
        platform=fields.pop("platform", "alarm"), fields=fields, subject=subject
    )


def armed(yard: Yard, *rules: Rule) -> Engine:
    """Put an engine with these rules into a yard's kernel."""
    engine = Engine(yard.kernel)
    yard.hub.rooms.append(engine)
    yard.bundle = _with(yard.hub, rules)
    yard.hub.load(yard.bundle)
    yard.settle()
    return engine


def _with(hub: Hub, rules: tuple[Rule, ...]) -> Any:
    return msgspec.structs.replace(hub.bundle, rules=rules)


def rule(name: str, *triggers: Trigger, **more: Any) -> Rule:
    return Rule(id=name, names=NAMES, version="1", hash=name, triggers=triggers, **more)


UNKNOWN = Compare(">", Name("trigger_value"), Literal(5.0))


def raise_(yard: Yard, source: str, zone: str | None = "tank", **more: Any) -> str:
    number = yard.kernel.alarms.raise_(
        source, "x", kind=more.pop("kind", "leak"), priority=2, zone_id=zone, **more
    )
    yard.settle()
    return number


def test_unknown_holds_the_permit_that_is_the_subject() -> None:
    """Design §5 Truth: what depends on the missing input is held; never nothing."""
    yard = Yard()
    permit = yard.issued()
    armed(
        yard,
        rule("r", trigger("permit", platform="permit", to="held"), condition=UNKNOWN),
    )
    yard.kernel.permits.hold(permit, "manual", source="person:ann")
    yard.settle()
    codes = [b.hold.code for b in yard.events(PermitHeld)]
    assert codes == ["manual", "unknown"]


def test_unknown_holds_the_zone_of_a_device_and_of_a_person() -> None:
    """Design §5 Truth."""
    for source in ("device", "person"):
        yard = Yard()
        yard.issued()
        armed(yard, rule("r", trigger(source, kind="leak"), condition=UNKNOWN))
        device = yard.kernel.registry.find_device(HOST, "meter-tank")
        assert device is not None
        number = {"device": device.id, "person": "ann"}[source]
        raise_(yard, f"{source}:{number}", zone=None)
        assert [b.hold.code for b in yard.events(PermitHeld)] == ["unknown"]


def test_unknown_about_nobody_knows_what_holds_the_whole_site() -> None:
    """Unknown is never safe: a subject without a place is every place."""
    yard = Yard()
    yard.issued()
    armed(yard, rule("r", trigger("site", kind="leak"), condition=UNKNOWN))
    raise_(yard, "hub:somewhere", zone=None)
    assert [b.hold.code for b in yard.events(PermitHeld)] == ["unknown"]


def siren(path: str) -> Step:
    return Step(
        path=path,
        action="command",
        fields={"output": "siren", "value": True},
        deadline_s=5.0,
    )


def test_two_runs_that_wait_for_one_command_both_hear_of_it() -> None:
    """R6: two subjects never share a slot."""
    yard = Yard()
    armed(
        yard,
        rule("one", trigger("zone", kind="leak"), steps=(siren("steps/0"),)),
        rule("two", trigger("zone", kind="leak"), steps=(siren("steps/0"),)),
    )
    raise_(yard, "zone:tank")
    number = yard.executed()[-1].command.id
    yard.kernel.commands.result(HOST, Result(number, "confirmed"))
    yard.live(10)
    ended = [b.state for b in yard.events(RunStepped) if b.state != "waiting"]
    assert ended == ["done", "done"]


def test_a_shelf_that_expires_over_a_returned_alarm_calls_nobody_out() -> None:
    """R2: entering is not being in; what has gone starts no response."""
    yard = Yard()
    armed(yard, rule("r", trigger("zone", kind="leak"), steps=(siren("s/0"),)))
    yard.kernel.alarms.raise_("zone:tank", "y", kind="quiet", priority=3)
    number = raise_(yard, "zone:tank")
    started = len(yard.events(RunStarted))
    shelve = ShelveAlarm(alarm_id=number, reason="works on it", minutes=5)
    assert yard.act("sam", shelve).ok
    yard.kernel.alarms.clear("zone:tank", "x")
    yard.live(20)
    assert yard.events(RunFinished)
    yard.live(400)
    assert len(yard.events(RunStarted)) == started


def test_nobody_is_not_the_same_as_nobody_known() -> None:
    """Design §5: a worker of the zone without any fix may well be inside."""
    yard = Yard()
    yard.issued(workers=("max",))
    for person in ("ann", "bob"):
        yard.place(person, "gate")
    compiled = compile_rule(rule("r", trigger("zone", kind="leak")))

    def people(subject: str) -> Any:
        return Scope(yard.kernel, compiled, subject, {}, None)("people_inside")

    assert people("zone:tank") == (0, Quality.GOOD)
    assert people("site")[0] == len(yard.places)
    yard.live(20)
    yard.dead.add("max")
    yard.live(20)
    assert people("zone:tank")[1] is not Quality.GOOD


def test_what_was_skipped_is_told_for_each_and_not_kept_for_ever() -> None:
    """R26, and bounded memory."""
    yard = Yard()
    false = Compare("==", Literal(1), Literal(2))
    engine = armed(yard, rule("r", trigger("zone", kind="leak"), condition=false))
    for number in range(50):
        raise_(yard, f"zone:z{number}", zone="tank")
        yard.kernel.alarms.clear(f"zone:z{number}", "x")
    assert len(yard.events(RuleSkipped)) == 50
    for record in list(yard.hub.state.alarms.open.values()):
        record.acknowledged = True
        yard.kernel.alarms.close_if_done(record)
    yard.live(2)
    assert not engine._skipped
    assert len(yard.events(AlarmRaised)) >= 50


def test_what_a_rule_said_of_itself_can_be_reset_by_a_person() -> None:
    """ISA-18.2: no alarm stands for ever because nothing can end it."""
    yard = Yard()
    armed(yard, rule("r", trigger("zone", kind="leak"), condition=UNKNOWN))
    raise_(yard, "zone:tank")
    (fault,) = yard.kernel.alarms.active(kind_prefix="fault.unknown")
    yard.kernel.alarms.clear("zone:tank", "x")
    assert yard.act("sam", AcknowledgeAlarm(alarm_id=fault.id)).ok
    assert yard.act("sam", ResetAlarm(alarm_id=fault.id, reason="seen to")).ok
    yard.live(3)
    assert not yard.kernel.alarms.active(kind_prefix="fault.unknown")
