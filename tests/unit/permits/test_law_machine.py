"""The whole life of legal permits under everything at once (design §5).

Rules are what people, devices, clocks and disks do, right and wrong; `Judge` reads
the journal beside the kernel and knows only what any inspector knows.
"""

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    precondition,
    rule,
)

from core.api.quality import Quality
from core.api.reading import Value
from core.people.acts import Act, WithdrawCard
from core.permits import life_acts as a
from core.permits.acts import (
    CancelPermit,
    ClosePermit,
    HoldPermit,
    ReleasePermit,
)
from core.permits.entries_acts import LogIn, LogOut
from core.permits.lifecycle import PermitStatus
from core.response.acts import AccountPerson, ClearEvacuation
from tests.support.life import BAD, PEOPLE, RUNS, Life

S = PermitStatus


class Law(Life):
    """Live through a few days of a small plant."""

    # --- single acts, right and wrong -----------------------------------------

    @precondition(lambda self: self.permits())
    @rule(
        data=st.data(),
        who=st.sampled_from(PEOPLE),
        name=st.sampled_from(
            "sign_old start release confirm complete close cancel withdraw reject "
            "supersede brief take declare late_content hold".split()
        ),
        old=st.booleans(),
    )
    def try_it(self, data: st.DataObject, who: str, name: str, old: bool) -> None:
        """Let anybody try anything, perhaps on a view that is out of date."""
        permit_id = self.pick(data)
        act = self.act(name, permit_id)
        inside = self.workers_inside(permit_id)
        version = self.version(permit_id) - int(old)
        done = self.ask(who, act, version)
        assert not (done and old and not isinstance(act, _UNCOUNTED)), name
        if done and isinstance(act, ClosePermit):
            assert not inside, inside

    def act(self, name: str, permit_id: str) -> Act:
        permit = self.site.permit(permit_id)
        life = permit.life
        makers: dict[str, Callable[[], Act]] = {
            "sign_old": lambda: a.SignPermit(
                permit_id=permit_id, slot="approver", content="0" * 64
            ),
            "start": lambda: a.StartPermit(permit_id=permit_id),
            "release": lambda: ReleasePermit(permit_id=permit_id, reason="ok"),
            "confirm": lambda: a.ConfirmPermit(permit_id=permit_id),
            "complete": lambda: a.CompletePermit(permit_id=permit_id),
            "close": lambda: ClosePermit(permit_id=permit_id),
            "cancel": lambda: CancelPermit(permit_id=permit_id, reason="rain"),
            "withdraw": lambda: a.WithdrawPermit(permit_id=permit_id, reason="smell"),
            "reject": lambda: a.RejectPermit(permit_id=permit_id, reason="no crew"),
            "supersede": lambda: a.SupersedePermit(permit_id=permit_id, reason="new"),
            "brief": lambda: a.BriefPeople(
                permit_id=permit_id, people=permit.people() or ("ann",)
            ),
            "take": lambda: a.TakeBriefing(permit_id=permit_id),
            "declare": lambda: a.DeclareFacts(
                permit_id=permit_id, facts={"ppe_ok": not life.late}
            ),
            "late_content": lambda: a.DeclareFacts(
                permit_id=permit_id, facts={"fire_area": "other"}
            ),
            "hold": lambda: HoldPermit(permit_id=permit_id, reason="smell"),
        }
        return makers[name]()

    @precondition(lambda self: self.permits())
    @rule(data=st.data(), who=st.sampled_from(PEOPLE), other=st.sampled_from(PEOPLE))
    def change_people(self, data: st.DataObject, who: str, other: str) -> None:
        """Hand over, add, remove, change shifts: by anybody, to anybody."""
        permit_id = self.pick(data)
        acts: dict[str, Act] = {
            "offer": a.HandOverGuard(permit_id=permit_id, to_id=other),
            "take": a.TakeOverGuard(permit_id=permit_id),
            "add": a.AddWorker(permit_id=permit_id, person_id=other),
            "remove": a.RemoveWorker(permit_id=permit_id, person_id=other),
            "shift": a.OfferShift(permit_id=permit_id, to_id=other, guardian_id=other),
            "take_shift": a.TakeShift(permit_id=permit_id),
            "delegate": a.DelegateSlot(
                permit_id=permit_id, slot="approver", to_id=other
            ),
            "in": LogIn(permit_id=permit_id, person_id=other),
            "out": LogOut(permit_id=permit_id, person_id=other),
        }
        self.ask(who, acts[data.draw(st.sampled_from(sorted(acts)))])

    @precondition(lambda self: self.permits(S.ACTIVE, S.HELD))
    @rule(data=st.data(), shift=st.booleans())
    def hand_over(self, data: st.DataObject, shift: bool) -> None:
        """Change the guardian or the shift as it should be done."""
        permit_id = self.pick(data, S.ACTIVE, S.HELD)
        if shift:
            self.ask("sue", a.OfferShift(permit_id=permit_id, to_id="sue"))
            self.tested(permit_id, "gil")
            self.ask("sue", a.TakeShift(permit_id=permit_id))
        else:
            self.ask("gil", a.HandOverGuard(permit_id=permit_id, to_id="gil"))
            self.ask("gil", a.TakeOverGuard(permit_id=permit_id))

    @precondition(lambda self: self.permits())
    @rule(data=st.data(), who=st.sampled_from(["gil", "ivy", "ann"]))
    def test_gas(self, data: st.DataObject, who: str) -> None:
        self.tested(self.pick(data), who)

    @precondition(lambda self: self.permits(*RUNS, S.HELD))
    @rule(data=st.data(), leave=st.booleans())
    def end(self, data: st.DataObject, leave: bool) -> None:
        """Complete the work; accept and close it where everybody has left."""
        permit_id = self.pick(data, *RUNS, S.HELD)
        self.ask("sue", a.CompletePermit(permit_id=permit_id))
        after: dict[str, Value] = {"site_restored": True, "no_residual_fire": True}
        self.ask("sue", a.DeclareFacts(permit_id=permit_id, facts=after))
        for person in self.site.permit(permit_id).workers if leave else ():
            self.site.places[person] = "yard"
        self.pass_time(4)
        inside = self.workers_inside(permit_id)
        self.sign_due(permit_id)
        done = self.ask("sue", ClosePermit(permit_id=permit_id))
        assert not (done and inside), inside

    @precondition(lambda self: self.permits())
    @rule(
        data=st.data(),
        name=st.sampled_from("start release complete cancel reject confirm".split()),
        slow=st.booleans(),
    )
    def two_at_once(self, data: st.DataObject, name: str, slow: bool) -> None:
        """Two phones take one step on one view: one does it, one is told why not."""
        site, permit_id = self.site, self.pick(data)
        version, act = self.version(permit_id), self.act(name, permit_id)
        site.journal.held = slow and not site.journal.broken
        why, before = self.unproven(), self.running()
        replies = [
            site.say_later(person, act, version)
            for person in ("sam", "sue" if name != "release" else "ivy")
        ]
        site.journal.held = False
        site.settle()
        found = [each() for each in replies]
        assert sum(reply.ok for reply in found) <= 1, name
        assert all(reply.ok or reply.code for reply in found)
        if why:
            assert not self.running() - before, why

    @precondition(lambda self: self.last_signed is not None)
    @rule(forged=st.booleans())
    def replay(self, forged: bool) -> None:
        """Send again what was signed before, or in another's name.

        A person's own word that never counted may count later: refused as stale by a
        hub whose clock was wrong, it is as fresh as any once the clock is right.
        """
        assert self.last_signed is not None
        person, act = self.last_signed
        if forged:
            other = "ann" if person != "ann" else "bob"
            proof = self.site.phones[other].sign(act.verb_, act, person=person)
        else:
            proof = self.site.last_proof(person)
        before = self.judge.seq()
        told = self.site.send_proof(person, act, proof)
        if told.ok and not forged and not self.last_counted:
            self.last_counted = True
        elif type(act).signed_ or told.code.startswith("signature"):
            assert not told.ok, act.verb_
            # A refusal by a rule of the law is itself on record, and changes nothing.
            assert self.judge.seq() == before + (told.code == "permit.rule")

    # --- the world ------------------------------------------------------------

    @rule(
        gas=st.sampled_from(["h2s", "o2", "lel"]),
        value=st.sampled_from([0.0, 7.0, 18.0, 20.9, 60.0]),
        quality=st.sampled_from([Quality.GOOD, Quality.GOOD, *BAD]),
    )
    def gas(self, gas: str, value: float, quality: Quality) -> None:
        self.site.reading(gas, value, quality)
        if gas == "lel":  # the one gas that every kind of the machine has tested
            self.quality = quality

    @precondition(lambda self: self.permits(S.BRIEFED, S.HELD))
    @rule(data=st.data(), bad=st.sampled_from(BAD))
    def start_on_bad_evidence(self, data: st.DataObject, bad: Quality) -> None:
        """Make everything ready, then spoil one reading: nothing may begin."""
        permit_id = self.pick(data, S.BRIEFED, S.HELD)
        held = self.site.permit(permit_id).status is S.HELD
        self.set_right()
        self.tested(permit_id, "gil")
        if not held:
            self.site.verify(permit_id)
        need = self.site.kind(self.site.permit(permit_id)).gas
        several = need is not None and len(need.gases) > 1
        gas = data.draw(st.sampled_from(["lel", "h2s", "o2"] if several else ["lel"]))
        self.gas(gas, self.site.gas[gas], bad)
        act: Act = a.StartPermit(permit_id=permit_id)
        if held:
            act = ReleasePermit(permit_id=permit_id, reason="ok")
        assert not self.ask("sam" if held else "sue", act, self.version(permit_id))
        self.pulse()

    @rule(device=st.sampled_from(["meter-tank", "gil", "ann", "eve", "cam-tank"]))
    def die(self, device: str) -> None:
        self.site.dead.add(device)

    @rule(device=st.sampled_from(["meter-tank", "gil", "ann", "eve", "cam-tank"]))
    def revive(self, device: str) -> None:
        self.site.dead.discard(device)

    @rule(back=st.booleans())
    def geometry(self, back: bool) -> None:
        """Let the geometry worker die, or another join."""
        if back:
            self.site.measure()
        else:
            self.site.surveyor = None

    @rule(
        person=st.sampled_from(PEOPLE), zone=st.sampled_from(["tank", "yard", "90,9,0"])
    )
    def walk(self, person: str, zone: str) -> None:
        self.site.places[person] = zone

    @rule(seconds=st.sampled_from([5, 40, 75]))
    def silence(self, seconds: int) -> None:
        """Let time pass while nothing reports at all."""
        for _ in range(seconds):
            self.site.advance(1.0)
            self.look()

    @rule()
    def minutes(self) -> None:
        self.site.advance(150.0)

    @rule(seconds=st.sampled_from([3600.0, -3600.0, -1_800_000_000.0]))
    def step_wall(self, seconds: float) -> None:
        """Step the clock: an hour, or to 1970."""
        if self.astray_s == 0.0:
            self.site.clock.step_wall(seconds)
            self.astray_s = seconds

    @rule()
    def wall_right(self) -> None:
        self.site.clock.step_wall(-self.astray_s)
        self.astray_s = 0.0

    @rule(trusted=st.booleans())
    def trust(self, trusted: bool) -> None:
        self.site.clock.trusted = trusted

    @rule(mended=st.booleans())
    def disk(self, mended: bool) -> None:
        if mended:
            self.site.mend_disk()
        else:
            self.site.break_disk()

    @precondition(lambda self: not self.site.journal.broken and self.permits())
    @rule(
        data=st.data(), name=st.sampled_from("start release confirm complete".split())
    )
    def disk_breaks_under_an_act(self, data: st.DataObject, name: str) -> None:
        """What never became durable permits nothing."""
        site, permit_id = self.site, self.pick(data)
        before = self.running()
        site.journal.held = True
        site.say_later(
            "sam" if name == "release" else "sue",
            self.act(name, permit_id),
            self.version(permit_id),
        )
        site.journal.held = False
        site.break_disk()
        assert self.running() <= before

    @rule(clean=st.booleans(), reboot=st.booleans(), mended=st.booleans())
    def restart(self, clean: bool, reboot: bool, mended: bool) -> None:
        """Stop and start; a stop on a broken disk loses what was not written."""
        if mended:
            self.site.mend_disk()
        self.look()
        broken = self.site.journal.broken
        self.boots += int(reboot)
        self.judge.restarts()
        self.site.restart(clean and not broken, f"boot-{self.boots}" if reboot else "")
        self.bad_since.clear()
        self.good = dict.fromkeys(self.good, self.now())

    @precondition(lambda self: self.site.kernel.evacuations.running())
    @rule()
    def all_clear(self) -> None:
        for record in self.site.kernel.evacuations.running():
            for person in list(record.roll):
                act = AccountPerson(evacuation_id=record.id, person_id=person)
                self.site.say("max", act)
            self.site.say("sam", ClearEvacuation(evacuation_id=record.id))

    @rule(again=st.booleans())
    def card(self, again: bool) -> None:
        """Let the welder's card be withdrawn, or another come on file."""
        held = self.site.hub.state.people.cards.of("ann")
        cards = [each for each in held if not each.withdrawn]
        if cards and not again:
            self.ask("sam", WithdrawCard(card_id=cards[0].id, code="revoked"))
        elif again:
            self.ask("sam", self.site.card())


#: Acts that wait for no view: they only protect, or speak of oneself.
_UNCOUNTED = (a.TakeBriefing, HoldPermit, a.WithdrawPermit, CancelPermit)

Law.TestCase.settings = settings(
    max_examples=int(os.environ.get("SAFEHOLD_LAW_EXAMPLES", "80")),
    stateful_step_count=30,
    suppress_health_check=list(HealthCheck),
)
TestLaw = Law.TestCase


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_campaign() -> None:
    """Search far longer; `pytest -m slow tests/unit/permits/test_law_machine.py`."""
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        Law,
        settings=settings(
            max_examples=2_000,
            stateful_step_count=60,
            derandomize=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
