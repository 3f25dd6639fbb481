"""The permit desk: what people ask for, and why it is refused."""

import msgspec

from core.api.errors import Refused
from core.api.quality import Quality
from core.api.reading import Reading
from core.config import PermitKind
from core.deadlines import Deadline
from core.journal.envelope import Cause
from core.people.access import Access, Answer, check_version
from core.permits import acts
from core.permits.bench import Bench, Holder
from core.permits.events import (
    GasTest,
    PermitIssued,
    PermitReleased,
    PermitRetested,
)
from core.permits.interlocks import (
    MARKS,
    describe,
    not_true,
    passes,
    running_in,
)
from core.permits.lifecycle import PermitStatus
from core.permits.pack import Phase
from core.permits.state import HoldRecord, PermitRecord
from core.permits.view import Viewer
from core.readings.readings import Readings


class Desk:
    """Carry out the acts on permits."""

    def __init__(self, bench: Bench, readings: Readings) -> None:
        self._bench, self._readings = bench, readings
        self._hub, self._access, self._site = bench.hub, bench.access, bench.site
        self._judge, self._viewer = bench.judge, Viewer(bench)

    def bind(self, access: Access, hold: Holder) -> None:
        """Offer the acts; ``hold`` also holds what is linked."""
        self._hold_permit: Holder = hold
        access.bind(acts.IssuePermit, self._issue)
        access.bind(acts.HoldPermit, self._hold)
        access.bind(acts.RetestPermit, self._retest)
        access.bind(acts.ReleasePermit, self._release)
        access.bind(acts.CheckPermit, self._check)

    # --- issue ----------------------------------------------------------------

    def _issue(
        self, actor: str, act: acts.IssuePermit, _version: int | None, cause: Cause
    ) -> Answer:
        if self._judge.packs.current(act.kind) is not None:
            raise Refused("permit.six_steps", kind=act.kind)
        kind = self._judge.kinds.get(act.kind)
        if kind is None:
            raise Refused("permit.kind_unknown", kind=act.kind)
        self._access.require(actor, *kind.issuer_roles)
        hours = self._form(act, kind)
        valid = Deadline.after(self._hub.clock, hours * 3600)
        draft = self._draft(actor, act, valid)
        bad = not_true(self._judge.judge(draft))
        if bad:
            raise Refused("permit.interlock", bad=describe(bad))
        tests = self._tests(act.zone_id, kind.gases, since_ns=0)
        body = PermitIssued(
            permit_id=draft.id,
            kind=act.kind,
            zone_id=act.zone_id,
            title=act.title,
            issuer_id=actor,
            supervisor_id=act.supervisor_id,
            guardian_id=act.guardian_id,
            workers=act.workers,
            linked=act.linked,
            valid=valid,
            tests=tests,
        )
        self._hub.emit(body, _proven(cause, tests))
        return {"permit_id": draft.id, "version": self._get(draft.id).version}

    def _form(self, act: acts.IssuePermit, kind: PermitKind) -> float:
        """Refuse a form that is not whole; return the hours it is valid."""
        if self._site.zone(act.zone_id) is None:
            raise Refused("site.zone_unknown", zone=act.zone_id)
        named = [act.supervisor_id, *act.workers]
        named += [act.guardian_id] if kind.guardian or act.guardian_id else []
        for person_id in named:
            if not self._access.known(person_id):
                raise Refused("permit.person_unknown", person=person_id)
        if not act.workers:
            raise Refused("permit.no_workers")
        if act.guardian_id in act.workers:
            raise Refused("permit.guardian_works", person=act.guardian_id)
        for permit_id in act.linked:
            self._get(permit_id)
        hours = kind.valid_h if act.valid_h is None else act.valid_h
        if not 0 < hours <= kind.valid_h:
            raise Refused("permit.validity", hours=hours, at_most=kind.valid_h)
        return hours

    def _draft(
        self, actor: str, act: acts.IssuePermit, valid: Deadline
    ) -> PermitRecord:
        return PermitRecord(
            id=self._hub.ids.new(),
            kind=act.kind,
            zone_id=act.zone_id,
            title=act.title,
            issuer_id=actor,
            supervisor_id=act.supervisor_id,
            guardian_id=act.guardian_id,
            workers=list(act.workers),
            linked=list(act.linked),
            valid=valid,
            status=PermitStatus.ACTIVE,
            issued_wall_ns=0,
        )

    # --- hold and re-test -----------------------------------------------------

    def _hold(
        self, actor: str, act: acts.HoldPermit, _version: int | None, cause: Cause
    ) -> Answer:
        permit = self._get(act.permit_id)
        hold_id = self._hold_permit(
            permit.id,
            "manual",
            source=f"person:{actor}",
            params={"reason": act.reason},
            cause=cause,
        )
        if hold_id is None:
            raise Refused("permit.closed", permit=permit.id)
        return {"hold_id": hold_id, "version": permit.version}

    def _retest(
        self, actor: str, act: acts.RetestPermit, version: int | None, cause: Cause
    ) -> Answer:
        permit = self._get(act.permit_id)
        check_version(version, permit.version)
        if permit.life.pack:
            raise Refused("permit.gas_form", permit=permit.id)
        kind = self._judge.kinds.get(permit.kind)
        owed = [gas for held in permit.holds.values() for gas in held.hold.retest]
        gases = tuple(dict.fromkeys((*owed, *(kind.gases if kind else ()))))
        since_ns = max(
            (held.since_mono_ns for held in permit.holds.values()), default=0
        )
        tests = self._tests(permit.zone_id, gases, since_ns)
        tests += tuple(self._typed(typed) for typed in act.typed)
        if not tests:
            raise Refused("permit.no_meter", gases=", ".join(gases))
        body = PermitRetested(permit_id=permit.id, person_id=actor, tests=tests)
        self._hub.emit(body, _proven(cause, tests))
        failed = sorted({test.quantity for test in tests if not test.passed})
        return {"failed": ", ".join(failed), "version": permit.version}

    def _tests(
        self, zone_id: str, gases: tuple[str, ...], since_ns: int
    ) -> tuple[GasTest, ...]:
        """Take every meter's word; what was measured before a hold proves nothing."""
        tests = []
        for gas in gases:
            for reading in self._readings.current(zone_id, gas):
                # A hold from before a reboot has a boot time that means nothing.
                this_boot = since_ns <= self._hub.clock.mono_ns()
                old = this_boot and _measured_ns(reading) <= since_ns
                tests.append(self._test(gas, reading, old=old))
        return tuple(tests)

    def _test(self, gas: str, reading: Reading, *, old: bool) -> GasTest:
        value = reading.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            value = None
        clock = self._hub.clock
        age_ns = clock.mono_ns() - _measured_ns(reading)
        return GasTest(
            quantity=gas,
            value=value,
            unit=reading.unit,
            entity_id=reading.entity_id,
            quality=int(Quality.STALE if old else reading.quality),
            measured_wall_ns=clock.wall_ns() - age_ns,
            passed=not old and passes(self._judge.quantities.get(gas), reading),
        )

    def _typed(self, typed: acts.TypedTest) -> GasTest:
        quantity = self._judge.quantities.get(typed.quantity)
        if quantity is None:
            raise Refused("permit.gas_unknown", gas=typed.quantity)
        if typed.unit != quantity.unit:
            raise Refused(
                "permit.gas_unit",
                gas=typed.quantity,
                unit=typed.unit,
                want=quantity.unit,
            )
        if not 0 <= typed.value < float("inf"):
            raise Refused("permit.gas_value", gas=typed.quantity)
        now_ns = self._hub.clock.mono_ns()
        # Judged as if a meter had said it, kept as what it is: never GOOD.
        said = Reading(
            entity_id="",
            value=typed.value,
            unit=typed.unit,
            quality=Quality.GOOD,
            received_ns=now_ns,
        )
        return GasTest(
            quantity=typed.quantity,
            value=typed.value,
            unit=typed.unit,
            entity_id="",
            quality=int(Quality.UNCERTAIN),
            measured_wall_ns=self._hub.clock.wall_ns(),
            passed=passes(quantity, said),
            typed=True,
        )

    # --- release --------------------------------------------------------------

    def _release(
        self, actor: str, act: acts.ReleasePermit, version: int | None, cause: Cause
    ) -> Answer:
        permit = self._get(act.permit_id)
        check_version(version, permit.version, must=True)
        if permit.status is not PermitStatus.HELD:
            raise Refused("permit.not_held", status=str(permit.status))
        if not act.reason.strip():
            raise Refused("permit.reason")
        self._may_release(actor, permit, cause)
        self._no_hazard(permit)
        tests: tuple[GasTest, ...] = ()
        if permit.life.pack:
            self._lawful(permit, actor, cause)
        else:
            tests = self._tested(permit)
        body = PermitReleased(
            permit_id=permit.id,
            hold_ids=tuple(permit.holds),
            person_id=actor,
            reason=act.reason,
        )
        self._hub.emit(body, _proven(cause, tests))
        return {"version": permit.version}

    def _tested(self, permit: PermitRecord) -> tuple[GasTest, ...]:
        """Refuse without every interlock and every re-test; return the evidence."""
        bad = not_true(self._judge.judge(permit))
        if bad:
            raise Refused("permit.interlock", bad=describe(bad))
        owed = sorted(
            {gas for h in permit.holds.values() for gas in self._untested(permit, h)}
        )
        if owed:
            raise Refused("permit.retest_missing", gases=", ".join(owed))
        kind = self._judge.kinds[permit.kind]
        return self._tests(permit.zone_id, kind.gases, since_ns=0)

    def _lawful(self, permit: PermitRecord, actor: str, cause: Cause) -> None:
        """Keep the pack's rules for going on, and what the holds themselves owe."""
        if permit.life.shift_to:
            raise Refused("permit.shift_open", person=permit.life.shift_to)
        self._bench.lawful(permit, Phase.RESUME, actor, "release", cause)
        owed = self._bench.owed(permit)
        if owed:
            raise Refused("permit.retest_missing", gases=", ".join(owed))

    def _may_release(self, actor: str, permit: PermitRecord, cause: Cause) -> None:
        kind = self._judge.kind(permit)
        roles = kind.retest.roles if kind else ("safety_officer",)
        if permit.life.pack and cause.proof is None:
            raise Refused("signature.required", verb=acts.ReleasePermit.verb_)
        named = bool(self._access.roles(actor) & {*roles, "owner"})
        guards = actor == permit.guardian_id and self._bench.guardian_releases(permit)
        if named or guards:
            if permit.life.pack:
                self._bench.own_key(cause, acts.ReleasePermit.verb_)
        else:
            raise Refused("permit.not_authorised", needed=", ".join(roles))

    def _no_hazard(self, permit: PermitRecord) -> None:
        """Refuse while what caused a hold, or gas, or an evacuation, is there."""
        alarms = self._hub.state.alarms.open
        running = running_in(self._hub, permit.zone_id)
        if running is not None:
            raise Refused("permit.evacuation_running", evacuation=running.id)
        sources = {h.hold.source.rpartition(":")[2] for h in permit.holds.values()}
        for alarm in alarms.values():
            gas = alarm.zone_id == permit.zone_id and alarm.kind.startswith("gas.")
            caused = alarm.id in sources
            if alarm.stands and alarm.mark not in MARKS and (gas or caused):
                raise Refused("permit.cause_active", alarm=alarm.id, kind=alarm.kind)
        evacuations = self._hub.state.response.evacuations
        for source in sources:
            record = evacuations.get(source)
            if record is not None and not record.cleared_wall_ns:
                raise Refused("permit.evacuation_running", evacuation=record.id)

    def _untested(self, permit: PermitRecord, held: HoldRecord) -> list[str]:
        """Return the gases that a hold still owes a passing test by every meter."""
        latest = {(test.quantity, test.entity_id): test for test in held.tests}
        owed = []
        for gas in held.hold.retest:
            # Where a meter exists its own word is needed, and nobody else's.
            meters = self._meters(permit.zone_id, gas) or {""}
            tests = [latest.get((gas, meter)) for meter in meters]
            if not all(test is not None and test.passed for test in tests):
                owed.append(gas)
        return owed

    def _meters(self, zone_id: str, gas: str) -> set[str]:
        return {r.entity_id for r in self._readings.current(zone_id, gas)}

    def _check(
        self, _actor: str, act: acts.CheckPermit, _version: int | None, _cause: Cause
    ) -> Answer:
        permit = self._get(act.permit_id)
        shown = self._viewer.view(permit)
        bad = "; ".join(f"{o.name}={o.truth}({o.why})" for o in shown.open)
        return {
            "status": shown.status,
            "version": shown.version,
            "bad": bad,
            "view": msgspec.json.encode(shown).decode(),
        }

    def _get(self, permit_id: str) -> PermitRecord:
        return self._bench.get(permit_id)


def _measured_ns(reading: Reading) -> int:
    return min(reading.measured_ns or reading.received_ns, reading.received_ns)


def _proven(cause: Cause, tests: tuple[GasTest, ...]) -> Cause:
    evidence = tuple(test.entity_id for test in tests if test.entity_id)
    return msgspec.structs.replace(cause, evidence=evidence)
