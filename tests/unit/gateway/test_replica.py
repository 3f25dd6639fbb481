"""The gateway's state is the link's snapshot plus its stream, nothing else."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from core import state as states
from core.clock import SimClock
from core.journal import envelope as envelopes
from core.link import messages as m
from frontend_api.changes import Changes
from frontend_api.render import Renderer
from frontend_api.replica import SECTIONS, Replica
from tests.support.virtual import run_virtual
from tests.ui.fixture_core import FixtureCore


def _pair() -> tuple[FixtureCore, Replica]:
    clock = SimClock()
    core, replica = FixtureCore(clock), Replica(clock)
    core.start()
    core.deliver = replica.receive
    core.receive(m.Hello(name="gateway", role="gateway", version="1"))
    return core, replica


def test_folds_what_the_core_folded() -> None:
    core, replica = _pair()
    core.incident()
    core.leave("p-zhou")
    assert states.dump(replica.state) == states.dump(core.state)


def test_an_event_told_twice_is_folded_once() -> None:
    core, replica = _pair()
    told: list[m.Message] = []
    core.deliver = told.append
    core.incident()
    for message in (*told, *told):
        replica.receive(message)
    assert replica.state.alarms.raised_total == 1
    assert states.dump(replica.state) == states.dump(core.state)


def test_a_zone_that_nobody_watches_is_never_normal() -> None:
    """Design §5: unknown is never safe."""
    _, replica = _pair()
    zones = Renderer(replica).zones()
    assert zones["gallery"].state == "unmonitored"
    assert zones["pit"].state == "normal"


def test_the_worst_state_of_a_zone_is_shown_and_the_others_kept() -> None:
    core, replica = _pair()
    core.incident()
    zone = Renderer(replica).zones()["pit"]
    assert zone.state == "evacuating"
    assert zone.states == ["evacuating", "alarm", "held", "normal"]
    assert (zone.priority, zone.held) == (1, 1)


def test_says_what_the_hub_did_about_an_alarm() -> None:
    core, replica = _pair()
    core.incident()
    done = Renderer(replica).responses()["al-1"].done
    states_by_kind = {one.what: one.state for one in done}
    assert states_by_kind == {
        "siren": "confirmed",
        "fan": "confirmed",
        "evacuation": "confirmed",
        "permits": "confirmed",
        "notices": "pending",
    }


def test_an_event_of_a_newer_release_still_has_a_sentence() -> None:
    core, replica = _pair()
    wrapped = core.state
    made = envelopes.Envelope(
        epoch=wrapped.epoch,
        seq=wrapped.seq + 1,
        id="x",
        type="future.thing",
        version=9,
        wall_ns=0,
        sync=True,
        boot_id="b",
        mono_ns=0,
        cause=envelopes.Cause(actor="hub:core"),
        effect=envelopes.Effect.PROTECTIVE,
        body=msgspec.Raw(msgspec.msgpack.encode({"zone_id": "tank"})),
    )
    replica.receive(m.Events([envelopes.encode(made)], wrapped.seq))
    assert Renderer(replica).zones()["tank"].state == "unmonitored"


STEPS = ("incident", "leave", "hold", "live", "alive", "ack")


def _step(core: FixtureCore, name: str, number: int) -> None:
    if name == "incident" and not core.state.alarms.open:
        core.incident()
    elif name == "leave" and core.state.response.evacuations:
        core.leave(("p-sun", "p-zhou", "p-wu")[number % 3])
    elif name == "hold":
        core._hold(f"pt-{1 + number % 3}")
    elif name == "live":
        core.live(beat=number)
    elif name == "ack" and core.state.alarms.open:
        _ack(core)


def _ack(core: FixtureCore) -> None:
    from core.alarms.events import AlarmAcknowledged

    core.emit(AlarmAcknowledged(alarm_id="al-1", person_id="p-li"))


def _apply(shown: dict[str, Any], message: dict[str, Any]) -> None:
    for name, items in message.get("set", {}).items():
        shown[name] = {**shown[name], **items}
    for name, ids in message.get("gone", {}).items():
        for gone in ids:
            shown[name].pop(gone)
    shown["cursor"] = (message["epoch"], message["seq"])


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 9)), max_size=25))
def test_snapshot_plus_changes_is_the_later_snapshot(
    steps: list[tuple[str, int]],
) -> None:
    """Requirement: a screen that applied every change shows what a new one shows."""

    async def scenario() -> None:
        core, replica = _pair()
        changes = Changes(replica, Renderer(replica))
        out: list[bytes] = []
        changes.publish = out.append
        first = msgspec.json.decode(changes.snapshot())
        shown = dict(first["sections"])
        for name, number in steps:
            _step(core, name, number)
            if number % 2:
                changes.flush()
        last = msgspec.json.decode(changes.snapshot())
        for data in out:
            _apply(shown, msgspec.json.decode(data))
        for name in SECTIONS:
            assert shown[name] == last["sections"][name], name
        changes.stop()

    run_virtual(scenario)


@given(st.lists(st.integers(0, 2), min_size=1, max_size=12), st.integers(0, 11))
def test_resumes_from_any_kept_cursor(kinds: list[int], at: int) -> None:
    """Requirement: resume-from gives just the changes behind a cursor."""

    async def scenario() -> None:
        core, replica = _pair()
        changes = Changes(replica, Renderer(replica))
        out: list[bytes] = []
        changes.publish = out.append
        changes.snapshot()
        out.clear()
        cursors = [changes.here()]
        for number in kinds:
            if number:
                core._hold(f"pt-{number}")
            else:
                lost = ["tank"] * (len(cursors) % 2)
                core.deliver(m.HostStates(states={}, unmonitored=lost))
            changes.flush()
            cursors.append(changes.here())
        chosen = cursors[min(at, len(cursors) - 1)]
        missed = changes.since(chosen)
        assert missed is not None
        assert len(missed) == len(cursors) - 1 - cursors.index(chosen)
        ahead = msgspec.structs.replace(chosen, seq=chosen.seq + 1000)
        assert changes.since(ahead) is None
        changes.stop()

    run_virtual(scenario)


def test_at_most_five_messages_a_second_however_many_events() -> None:
    """Ui convention: changes are coalesced, a storm makes no flood."""

    async def scenario() -> int:
        import asyncio

        core, replica = _pair()
        changes = Changes(replica, Renderer(replica))
        out: list[bytes] = []
        changes.publish = out.append
        for number in range(200):
            core.live(beat=number)
            core._hold(f"pt-{1 + number % 3}")
            await asyncio.sleep(0.01)
        changes.stop()
        return len(out)

    assert run_virtual(scenario) <= 11
