"""Say of a permit, at any moment, what is missing, who must act, and until when."""

import msgspec

from core.api.errors import Refused
from core.api.reading import Value
from core.clock import NS
from core.permits import chain, lifecycle
from core.permits.bench import Bench
from core.permits.interlocks import Findings, not_true
from core.permits.life_acts import SignPermit
from core.permits.lifecycle import FINAL, RUNNING, PermitStatus
from core.permits.pack import Form, Phase
from core.permits.packs import Ruled
from core.permits.state import PermitRecord

S = PermitStatus


class Due(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Name one step that is due, and who may take it."""

    verb: str
    slot: str = ""
    roles: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    """Who may take it by name, beside the roles; the only ones if there are none."""
    barred: tuple[str, ...] = ()
    """Who may not take it all the same: it is their own work, or they approved it."""


class Open(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Name one interlock that is not TRUE."""

    name: str
    truth: str
    why: str = ""
    action: str = ""
    """What it does while work runs: deny, hold or evacuate."""
    aq: str = ""
    facts: dict[str, Value] = {}
    """What the rule reads, as far as anybody can tell it; None: UNKNOWN."""


class PermitView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Answer what is missing, who must act, what is not TRUE, and until when."""

    permit_id: str
    status: str
    version: int
    content: str = ""
    phase: str = ""
    """The moment whose rules ``open`` was judged by."""
    valid_left_s: float | None = None
    due: tuple[Due, ...] = ()
    missing_measures: tuple[str, ...] = ()
    missing_briefing: tuple[str, ...] = ()
    missing_facts: tuple[str, ...] = ()
    """Facts that a person has to state before the next step."""
    open: tuple[Open, ...] = ()


class Viewer:
    """Make views; nothing is changed by looking."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def view(self, permit: PermitRecord) -> PermitView:
        """Return the view of a permit as things stand now."""
        judge = self._bench.judge
        left = permit.valid.remaining_ns(self._bench.hub.clock)
        shown = PermitView(
            permit_id=permit.id,
            status=str(permit.status),
            version=permit.version,
            content=permit.life.content,
            valid_left_s=None if left is None else left / NS,
        )
        if permit.status in FINAL:
            return shown
        ruled = judge.packs.kind(permit) if permit.life.pack else None
        if ruled is None:
            bad = not_true(judge.judge(permit))
            return msgspec.structs.replace(shown, open=self._open(bad, {}))
        return self._legal(permit, ruled, shown)

    def _legal(
        self, permit: PermitRecord, ruled: Ruled, shown: PermitView
    ) -> PermitView:
        judge, phase = self._bench.judge, phase_of(permit.status)
        facts = judge.facts.of(permit, ruled.kind, ruled.pack, ruled.rules.facts[phase])
        if phase in (Phase.SIGN, Phase.CLOSE):
            bad = not_true(judge.lawful(permit, phase))
        else:
            bad = not_true(judge.judge(permit, phase))
        form = ruled.pack.form(ruled.kind.form)
        return msgspec.structs.replace(
            shown,
            phase=str(phase),
            due=tuple(self._due(permit, ruled)),
            missing_measures=_unanswered(permit, form),
            missing_briefing=tuple(
                p for p in permit.people() if p not in permit.life.briefed
            ),
            missing_facts=self._unstated(bad, facts),
            open=self._open(bad, facts),
        )

    def _unstated(self, bad: Findings, facts: dict[str, Value]) -> tuple[str, ...]:
        """Return what somebody has to state so that these can be told."""
        declarable = self._bench.judge.facts.declarable
        read = {name for f in bad.values() if f.breach for name in f.breach.facts}
        return tuple(sorted(n for n in read if n not in facts and declarable(n)))

    def _open(self, bad: Findings, facts: dict[str, Value]) -> tuple[Open, ...]:
        return tuple(
            Open(
                name=name,
                truth=found.truth.name.lower(),
                why=found.why,
                action=str(found.breach.action) if found.breach else "hold",
                aq=found.breach.alarm if found.breach else "",
                facts={
                    each: facts.get(each)
                    for each in sorted(found.breach.facts if found.breach else ())
                },
            )
            for name, found in bad.items()
        )

    # --- who must act ---------------------------------------------------------

    def _due(self, permit: PermitRecord, ruled: Ruled) -> list[Due]:
        life, status = permit.life, permit.status
        lead = (permit.supervisor_id,)
        if status is S.BOOKED:
            return [Due(verb="permit.apply", people=lead)]
        if status is S.APPLIED:
            return [Due(verb="permit.analyse", people=lead)]
        found: list[Due] = []
        if life.offered_to and status in lifecycle.TABLE["guardian"]:
            found.append(Due(verb="guardian.take_over", people=(life.offered_to,)))
        if life.shift_to and status in lifecycle.TABLE["shift"]:
            found.append(Due(verb="permit.take_shift", people=(life.shift_to,)))
        found += self._briefing(permit)
        found += self._signature(permit, ruled)
        simple = {
            S.BRIEFED: Due(verb="permit.start", people=lead),
            S.HELD: self._release(permit),
            S.ACCEPTED: Due(verb="permit.close", people=lead),
        }
        if status in simple and not found:
            found.append(simple[status])
        if status in lifecycle.BROKEN_OFF:
            found.append(Due(verb="permit.close", people=lead))
        return found

    def _briefing(self, permit: PermitRecord) -> list[Due]:
        if permit.status not in lifecycle.TABLE["brief"]:
            return []
        life = permit.life
        untold = [p for p in permit.people() if p not in life.told]
        silent = [p for p in life.told if p not in life.briefed]
        found = []
        if untold:
            found.append(Due(verb="permit.brief", roles=("issuer", "supervisor")))
        if silent:
            found.append(Due(verb="permit.take_briefing", people=tuple(silent)))
        return found

    def _signature(self, permit: PermitRecord, ruled: Ruled) -> list[Due]:
        phase = chain.due_phase(permit.status)
        slots = chain.chain(ruled.pack, ruled.kind)
        waiting = chain.unsigned(slots, permit, phase)
        if not waiting or permit.status not in lifecycle.TABLE[chain.STEPS[phase]]:
            return []
        slot = waiting[0]
        given = permit.life.delegated.get(slot.id, {})
        people = (permit.supervisor_id,) if slot.lead else tuple(given)
        signers = (each.person_id for each in permit.life.signed.values())
        asked = {permit.supervisor_id, *permit.people(), *given, *signers}
        return [
            Due(
                verb=SignPermit.verb_,
                slot=slot.id,
                roles=() if slot.lead else tuple(sorted(slot.acts_as)),
                people=people,
                barred=tuple(
                    sorted(p for p in asked if self._barred(ruled, slot, permit, p))
                ),
            )
        ]

    def _barred(
        self, ruled: Ruled, slot: chain.Slot, permit: PermitRecord, person_id: str
    ) -> bool:
        """Say whether the desk would refuse a person's signature, by its own rule."""
        roles = self._bench.access.roles
        if not roles(person_id) & SignPermit.roles_:
            return True
        if chain.right(slot, permit, person_id, roles) is None:
            return True
        try:
            chain.check_fit(ruled.pack, ruled.kind, slot, permit, person_id)
        except Refused:
            return True
        return False

    def _release(self, permit: PermitRecord) -> Due:
        """Name the roles of the kind, and the guardian after an unclean stop."""
        kind = self._bench.judge.kind(permit)
        guards = self._bench.guardian_releases(permit) and permit.guardian_id
        return Due(
            verb="permit.release",
            roles=tuple(sorted(kind.retest.roles)) if kind is not None else (),
            people=(permit.guardian_id,) if guards else (),
        )


def phase_of(status: PermitStatus) -> Phase:
    """Return the moment whose rules a status waits for."""
    if status in (S.BOOKED, S.APPLIED, S.ANALYSED):
        return Phase.SIGN
    if status in (S.APPROVED, S.BRIEFED):
        return Phase.START
    if status is S.HELD:
        return Phase.RESUME
    return Phase.RUN if status in RUNNING else Phase.CLOSE


def _unanswered(permit: PermitRecord, form: Form | None) -> tuple[str, ...]:
    if form is None:
        return ()
    answered = permit.life.measures
    return tuple(
        m.id for m in form.measures if not m.free_text and m.id not in answered
    )
