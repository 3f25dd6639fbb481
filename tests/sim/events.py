"""What single events must never be, seen from all that was accepted before."""

from collections.abc import Iterator, Sequence

from core.alarms.events import (
    AlarmAcknowledged,
    AlarmClosed,
    AlarmRaised,
    AlarmRepeated,
    AlarmReset,
    AlarmShelved,
)
from core.journal.envelope import Envelope
from core.journal.events import Event
from core.permits.events import (
    PermitHeld,
    PermitIssued,
    PermitReleased,
    PermitRetested,
    PermitVerified,
)
from core.permits.gas_tests_events import GasTested
from core.permits.life_events import PermitStarted
from core.permits.lifecycle import RESTART, PermitStatus
from core.response.events import EvacuationCleared, EvacuationStarted
from core.state import SiteState
from tests.sim import site
from tests.sim.law import GASES
from tests.sim.machine import Life

#: After these people may work.
_BEGINS = (PermitIssued, PermitReleased, PermitVerified, PermitStarted)
Log = Sequence[tuple[Event, Envelope, bytes]]
Finding = tuple[str, object]


def judge(body: Event, log: Log, life: Life) -> Iterator[Finding]:
    """Yield the promises that an event breaks, judged after its instant."""
    if isinstance(body, AlarmClosed):
        yield from _closed(body, log)
    elif isinstance(body, PermitReleased):
        yield from _released(body, log)
        yield from _released_by(body, log, life)
    elif isinstance(body, EvacuationStarted):
        yield from _started(body, life)


def _closed(body: AlarmClosed, log: Log) -> Iterator[Finding]:
    """Judge the end of an alarm by its own story, newest first."""
    seen = reset = False
    for earlier, _, _ in reversed(log):
        if getattr(earlier, "alarm_id", "") != body.alarm_id:
            continue
        seen |= isinstance(earlier, AlarmAcknowledged)
        reset |= isinstance(earlier, AlarmReset)
        if isinstance(earlier, AlarmRepeated) and not seen:
            yield "an alarm ends acknowledged only (§5 Alarms)", body
            return
        if isinstance(earlier, AlarmRaised):
            if not earlier.mark and not seen:
                yield "an alarm ends acknowledged only (§5 Alarms)", earlier
            if not earlier.mark and earlier.latching and not reset:
                yield "a latched alarm ends by its reset (§5 Alarms)", earlier
            return


def _released(body: PermitReleased, log: Log) -> Iterator[Finding]:
    """Each hold that demands a test had one that passed after it began (R15)."""
    passed: dict[str, bool] = {}
    left, last = set(body.hold_ids), dict[str, bool]()
    for earlier, _, _ in reversed(log):
        if getattr(earlier, "permit_id", "") != body.permit_id:
            continue
        if isinstance(earlier, GasTested):
            # Of one test every sample that counts; of two the later one. What
            # neither proves nor fails anything (a meter in doubt) was no test.
            counted = [each for each in earlier.samples if each.counts]
            newest = {
                each.gas: all(
                    e.evidence and e.verdict == "passed"
                    for e in counted
                    if e.gas == each.gas
                )
                for each in counted
            }
            last = newest | last
        elif isinstance(earlier, PermitRetested):
            for test in earlier.tests:
                passed.setdefault(test.quantity, test.passed)
        elif isinstance(earlier, PermitHeld) and earlier.hold.id in left:
            left.discard(earlier.hold.id)
            owed = [
                gas
                for word in earlier.hold.retest
                for gas in GASES.get(word, (word,))
                if not (passed | last).get(gas)
            ]
            if owed:
                yield "a release needs the re-test of its hold (R15)", (owed, body)


def _released_by(body: PermitReleased, log: Log, life: Life) -> Iterator[Finding]:
    """Under the law: who may, or the guardian of what only a stop holds (§5)."""
    permit = life.hub.state.permits.permits[body.permit_id]
    roles = set(site.ROLES.get(body.person_id, ("owner",)))
    if not permit.life.pack or roles & {"issuer", "safety_officer", "owner"}:
        return
    codes = {
        earlier.hold.code
        for earlier, _, _ in log
        if isinstance(earlier, PermitHeld) and earlier.hold.id in body.hold_ids
    }
    if codes != {RESTART} or body.person_id != permit.guardian_id:
        yield "a hold is released by who may (§5 Permits)", (codes, body)


def _started(body: EvacuationStarted, life: Life) -> Iterator[Finding]:
    state = life.hub.state
    for zone in body.zones:
        siren = life.kernel.registry.find(site.FIELD, f"box-{zone}", "siren")
        if siren is None or zone in state.response.silenced:
            continue
        last = state.response.outputs.get(siren)
        if last is None or last.value is not True:
            yield "an evacuation sounds its sirens (R12)", (zone, last)


def unproven(state: SiteState, log: Log, durable: int) -> Iterator[Finding]:
    """Yield what stands although a dead disk keeps its permission (§2)."""
    for body, envelope, _ in reversed(log):
        if envelope.seq <= durable or envelope.epoch != state.epoch:
            return
        if isinstance(body, _BEGINS):
            permit = state.permits.permits[body.permit_id]
            if permit.status is PermitStatus.ACTIVE:
                yield "what is not durable permits nothing (§2)", body
        elif isinstance(body, AlarmShelved):
            alarm = state.alarms.open.get(body.alarm_id)
            if alarm is not None and alarm.shelf is not None:
                yield "what is not durable shelves nothing (§2)", body
        elif isinstance(body, EvacuationCleared):
            if state.response.evacuations[body.evacuation_id].cleared_wall_ns:
                yield "what is not durable clears nothing (§2)", body
