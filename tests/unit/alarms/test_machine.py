"""Alarms under any order of acts, faults and restarts (design §5; R5, R7, R15)."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from core.alarms.acts import (
    AcknowledgeAlarm,
    PutInService,
    ResetAlarm,
    ShelveAlarm,
    TakeOutOfService,
    UnshelveAlarm,
)
from core.alarms.events import AlarmAcknowledged
from core.alarms.state import key_of
from core.hub import encode_act
from core.link.messages import ActReply, ActRequest
from core.people.acts import Act
from tests.support.detectors import site
from tests.support.kernel import make_kernel

#: Condition → life safety, latching.
CONDITIONS = {
    "gas": (True, False),
    "latched": (True, True),
    "fault": (False, False),
    "old": (False, True),
}
conditions = st.sampled_from(list(CONDITIONS))
PERMISSIVE = (ResetAlarm, ShelveAlarm, TakeOutOfService)


class AlarmMachine(RuleBasedStateMachine):
    """Keep a small model of what must stand beside the real kernel."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = make_kernel(site())
        self.present: set[str] = set()
        """Conditions that are there: raised, and not cleared since."""
        self.unseen: set[str] = set()
        """Conditions whose last activation nobody has acknowledged."""
        self.unreset: set[str] = set()
        """Latching conditions that nobody has reset since."""

    def open(self, condition: str) -> Any:
        return self.bench.kernel.alarms.find("zone:pit", condition)

    @rule(condition=conditions)
    def appear(self, condition: str) -> None:
        known = self.open(condition)
        was_active = known is not None and known.active
        life_safety, latching = CONDITIONS[condition]
        self.bench.kernel.alarms.raise_(
            "zone:pit",
            condition,
            kind=f"gas.{condition}",
            priority=1,
            zone_id="pit",
            life_safety=life_safety,
            latching=latching,
        )
        self.bench.settle()
        self.present.add(condition)
        if not was_active:
            self.unseen.add(condition)
            if latching:
                self.unreset.add(condition)

    @rule(condition=conditions)
    def vanish(self, condition: str) -> None:
        self.bench.kernel.alarms.clear("zone:pit", condition)
        self.bench.settle()
        self.present.discard(condition)

    @rule(mark=st.sampled_from(["TEST", "DRILL"]))
    def drill(self, mark: str) -> None:
        self.bench.kernel.alarms.raise_(
            "zone:yard", "drill", kind="gas.toxic", priority=1, mark=mark
        )
        self.bench.settle()

    @rule(
        condition=conditions,
        kind=st.sampled_from(
            (*PERMISSIVE, AcknowledgeAlarm, UnshelveAlarm, PutInService)
        ),
        who=st.sampled_from(["boss", "tech", "ann"]),
    )
    def act(self, condition: str, kind: type[Act], who: str) -> None:
        record = self.open(condition)
        if record is None:
            return
        fields: dict[str, Any] = {"alarm_id": record.id}
        if kind in PERMISSIVE:
            fields["reason"] = "known"
        if kind is ShelveAlarm:
            fields["minutes"] = 30.0
        if kind is TakeOutOfService:
            fields["hours"] = 1.0
        number = f"m{len(self.bench.links.sent)}"
        request = ActRequest(number, who, kind.verb_, encode_act(kind(**fields)))
        self.bench.kernel.access.receive("gateway", request)
        self.bench.settle()
        answers = [r for r in self.bench.links.of(ActReply) if r.id == number]
        done = bool(answers and answers[0].ok)
        if kind in PERMISSIVE and self.bench.journal.broken:
            assert not done, "no permission without a disk"
        if done and kind is AcknowledgeAlarm:
            self.unseen.discard(condition)
        if done and kind is ResetAlarm:
            self.unreset.discard(condition)

    @rule(seconds=st.sampled_from([0.5, 20.0, 90.0, 1000.0, 5000.0]))
    def wait(self, seconds: float) -> None:
        self.bench.advance(seconds)

    @rule(seconds=st.floats(-1e6, 1e6))
    def step_wall(self, seconds: float) -> None:
        self.bench.clock.step_wall(seconds)

    @rule()
    def break_disk(self) -> None:
        self.bench.break_disk()

    @rule()
    def mend_disk(self) -> None:
        self.bench.mend_disk()

    @rule(clean=st.booleans(), reboot=st.booleans())
    def restart(self, clean: bool, reboot: bool) -> None:
        self.bench.mend_disk()
        number = len(self.bench.journal.stored)
        self.bench.restart(clean, f"boot-{number}" if reboot else "")

    @invariant()
    def what_is_there_is_active(self) -> None:
        """R5: nothing but the condition's end ends its alarm."""
        for condition in self.present:
            record = self.open(condition)
            assert record is not None
            assert record.active

    @invariant()
    def what_nobody_saw_stands_unacknowledged(self) -> None:
        for condition in self.unseen:
            record = self.open(condition)
            assert record is not None
            assert not record.acknowledged

    @invariant()
    def what_nobody_reset_is_latched(self) -> None:
        for condition in self.unreset:
            record = self.open(condition)
            assert record is not None
            assert record.latched

    @invariant()
    def life_safety_is_never_put_aside(self) -> None:
        for record in self.bench.hub.state.alarms.open.values():
            if record.life_safety:
                assert record.shelf is None
                assert record.out_of_service == ""

    @invariant()
    def one_open_record_per_key(self) -> None:
        alarms = self.bench.hub.state.alarms
        keys = {key_of(r.source, r.condition): r.id for r in alarms.open.values()}
        assert keys == alarms.by_key

    @invariant()
    def no_test_stands_beside_a_real_alarm_that_came_after_it(self) -> None:
        records = list(self.bench.hub.state.alarms.open.values())
        newest = max((r.raised_seq for r in records if not r.mark), default=0)
        assert all(r.raised_seq > newest for r in records if r.mark)

    @invariant()
    def replay_is_the_live_state(self) -> None:
        """R7, R15: the journal alone gives the same records."""
        if not self.bench.journal.backlog:
            replayed = self.bench.replayed()
            assert replayed.alarms == self.bench.hub.state.alarms
        assert self.bench.hub.state.seq >= len(self.bench.journal.stored)

    def teardown(self) -> None:
        for body in self.bench.events(AlarmAcknowledged):
            assert body.person_id in ("boss", "tech"), "roles are checked"


TestAlarmMachine = AlarmMachine.TestCase
TestAlarmMachine.settings = settings(max_examples=60, stateful_step_count=40)
