"""The end of a permit: closed when its people are counted out, or broken off."""

from core.api.errors import Refused
from core.journal.envelope import Cause
from core.people.access import Access, Answer, check_version
from core.permits import acts, life_acts, lifecycle
from core.permits.bench import Bench
from core.permits.events import PermitClosed
from core.permits.life_events import PermitCancelled
from core.permits.lifecycle import FINAL
from core.permits.state import PermitRecord


class Ending:
    """Close, cancel and withdraw permits."""

    def __init__(self, bench: Bench) -> None:
        self._bench, self._hub = bench, bench.hub

    def bind(self, access: Access) -> None:
        """Offer the acts."""
        access.bind(acts.ClosePermit, self._close)
        access.bind(acts.CancelPermit, self._cancel)
        access.bind(life_acts.WithdrawPermit, self._withdraw)

    def _close(
        self, actor: str, act: acts.ClosePermit, version: int | None, cause: Cause
    ) -> Answer:
        permit = self._bench.get(act.permit_id)
        if permit.life.pack:
            self._not_final(permit)
            lifecycle.check("close", permit.status)
        outcome = permit.outcome or "completed"
        return self._end(actor, permit, outcome, version, cause)

    def _cancel(
        self, actor: str, act: acts.CancelPermit, version: int | None, cause: Cause
    ) -> Answer:
        permit = self._bench.get(act.permit_id)
        if not act.reason.strip():
            raise Refused("permit.reason")
        if not permit.life.pack:
            return self._end(actor, permit, "cancelled", version, cause)
        return self._break_off(actor, permit, "cancel", act.reason, cause)

    def _withdraw(
        self,
        actor: str,
        act: life_acts.WithdrawPermit,
        _version: int | None,
        cause: Cause,
    ) -> Answer:
        permit = self._bench.get(act.permit_id)
        if not act.reason.strip():
            raise Refused("permit.reason")
        return self._break_off(actor, permit, "withdraw", act.reason, cause)

    def _break_off(
        self,
        actor: str,
        permit: PermitRecord,
        step: str,
        reason: str,
        cause: Cause,
    ) -> Answer:
        """End a permit now; people who are inside stay counted and warned.

        By whatever version of it: nothing protective waits for a new look.
        """
        self._bench.at(permit.id, step)
        body = PermitCancelled(
            permit_id=permit.id,
            person_id=actor,
            reason=reason,
            outcome="cancelled" if step == "cancel" else "withdrawn",
        )
        self._hub.emit(body, cause)
        return {"version": permit.version, "status": str(permit.status)}

    def _end(
        self,
        actor: str,
        permit: PermitRecord,
        outcome: str,
        version: int | None,
        cause: Cause,
    ) -> Answer:
        check_version(version, permit.version)
        self._not_final(permit)
        if not permit.life.pack or permit.life.started is not None:
            self._bench.counted_out(permit)
        body = PermitClosed(permit_id=permit.id, person_id=actor, outcome=outcome)
        self._hub.emit(body, cause)
        return {"version": permit.version}

    def _not_final(self, permit: PermitRecord) -> None:
        if permit.status in FINAL:
            raise Refused("permit.closed", permit=permit.id)
