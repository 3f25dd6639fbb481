"""Orders that follow from events by themselves, without any automation."""

from collections.abc import Iterable
from typing import Protocol

from core.api.reading import Value
from core.hub import Hub
from core.journal.envelope import Cause, Envelope
from core.permits.events import PermitExpired, PermitHeld
from core.permits.life_events import PermitCancelled
from core.response.events import (
    EvacuationCleared,
    EvacuationExtended,
    EvacuationLate,
    EvacuationReopened,
    EvacuationStarted,
)
from core.response.roll_events import DrillDue, DrillEnded, MusterChanged
from core.response.roll_state import EvacuationRecord
from core.response.visitors import VISITOR

#: The channel that needs no internet: the web app of the hub itself.
LOCAL = "screen"
#: Who is told when people are late, and how long they have to answer.
_LATE_ROLES = ("marshal", "supervisor", "safety_officer")
_ANSWER_S = 60.0

#: How a permit was broken off → what its people are told.
_BROKEN_OFF = {
    "cancelled": "notice.permit_cancelled",
    "withdrawn": "notice.permit_withdrawn",
    "superseded": "notice.permit_superseded",
}


class Teller(Protocol):
    """Tell people by name or by role; `Notices` does."""

    def tell(  # noqa: PLR0913 (the names are the contract)
        self,
        *,
        roles: Iterable[str],
        channels: Iterable[str],
        code: str,
        params: dict[str, Value],
        about: str,
        chain: str = "",
        respond_s: float | None = None,
        mark: str = "",
        cause: Cause,
    ) -> list[str]:
        """Tell everybody with one of the roles."""

    def tell_persons(
        self,
        persons: Iterable[str],
        code: str,
        params: dict[str, Value],
        about: str,
        mark: str = "",
        *,
        cause: Cause,
    ) -> list[str]:
        """Tell named people."""

    def close_about(self, about: str) -> None:
        """Close what was told about something that has ended."""


class Orders:
    """Send the safe-state order of a hold, the call to leave, the late list."""

    def __init__(self, hub: Hub, teller: Teller) -> None:
        self._hub, self._teller = hub, teller
        hub.on(PermitHeld, self._permit_held)
        hub.on(PermitExpired, self._permit_expired)
        hub.on(PermitCancelled, self._permit_cancelled)
        hub.on(EvacuationStarted, self._evacuation_started)
        hub.on(EvacuationReopened, self._evacuation_reopened)
        hub.on(EvacuationExtended, self._evacuation_extended)
        hub.on(EvacuationLate, self._evacuation_late)
        hub.on(MusterChanged, self._muster_changed)
        hub.on(EvacuationCleared, lambda body, _: self._over(body.evacuation_id))
        hub.on(DrillEnded, self._drill_ended)
        hub.on(DrillDue, self._drill_due)

    def _order(self, safe_state: str, zone_id: str) -> str:
        """Return an order's code; in a confined space nobody goes in after them."""
        zones = {zone.id: zone for zone in self._hub.bundle.site.zones}
        zone = zones.get(zone_id)
        confined = zone is not None and zone.hazard == "confined"
        if safe_state == "leave" and confined:
            return "order.leave.confined"
        return f"order.{safe_state or 'stop'}"

    def _permit_held(self, body: PermitHeld, envelope: Envelope) -> None:
        permit = self._hub.state.permits.permits.get(body.permit_id)
        if permit is None:
            return
        code = self._order(body.safe_state, permit.zone_id)
        params: dict[str, Value] = {
            "zone": permit.zone_id,
            "permit": permit.id,
            "hold": body.hold.code,
        }
        if code.startswith("order.leave"):
            params["then"] = "muster.upwind"
        self._teller.tell_persons(
            (*permit.workers, permit.guardian_id, permit.supervisor_id),
            code,
            params,
            permit.id,
            cause=_after(envelope),
        )

    def _permit_expired(self, body: PermitExpired, envelope: Envelope) -> None:
        permit = self._hub.state.permits.permits.get(body.permit_id)
        if permit is None:
            return
        self._teller.tell_persons(
            (*permit.workers, permit.guardian_id, permit.supervisor_id),
            "notice.permit_expired",
            {"zone": permit.zone_id, "permit": permit.id},
            permit.id,
            cause=_after(envelope),
        )

    def _permit_cancelled(self, body: PermitCancelled, envelope: Envelope) -> None:
        """Send home who was at work under a permit that is no more."""
        permit = self._hub.state.permits.permits.get(body.permit_id)
        if permit is None or permit.life.started is None:
            return
        self._teller.tell_persons(
            (*permit.workers, permit.guardian_id, permit.supervisor_id),
            _BROKEN_OFF[body.outcome],
            {"zone": permit.zone_id, "permit": permit.id, "reason": body.reason},
            permit.id,
            cause=_after(envelope),
        )

    def _evacuation_started(self, body: EvacuationStarted, envelope: Envelope) -> None:
        self._call_out(body.evacuation_id, envelope)

    def _evacuation_reopened(
        self, body: EvacuationReopened, envelope: Envelope
    ) -> None:
        # The all-clear that the disk lost had closed what they were told.
        self._call_out(body.evacuation_id, envelope)

    def _evacuation_extended(
        self, body: EvacuationExtended, envelope: Envelope
    ) -> None:
        if body.zones:
            self._call_out(body.evacuation_id, envelope, again=False)

    def _call_out(
        self, evacuation_id: str, envelope: Envelope, *, again: bool = True
    ) -> None:
        """Tell who is on the roll to leave; ``again``: those who are out, too."""
        record = self._hub.state.response.call(evacuation_id)
        if record is None:
            return
        for line in list(record.roll.values()):
            if again or line.status != "accounted":
                zone_id = line.zone_id or record.zones[0]
                code = self._order("leave", zone_id)
                params = {"zone": zone_id, **_gather(record)}
                self._tell(record, line.person_id, code, params, record.id, envelope)

    def _muster_changed(self, body: MusterChanged, envelope: Envelope) -> None:
        """Tell those who are not accounted for where to gather now."""
        record = self._hub.state.response.call(body.evacuation_id)
        if record is None:
            return
        about = f"{record.id}/muster"
        self._teller.close_about(about)
        params = {"zone": record.zones[0], **_gather(record)}
        for line in list(record.roll.values()):
            if line.status != "accounted":
                self._tell(
                    record, line.person_id, "notice.muster", params, about, envelope
                )

    def _tell(
        self,
        record: EvacuationRecord,
        person_id: str,
        code: str,
        params: dict[str, Value],
        about: str,
        envelope: Envelope,
    ) -> None:
        if person_id.startswith(VISITOR):
            # A visitor has no phone of the site: the host brings them out.
            badge = person_id.removeprefix(VISITOR)
            visitor = self._hub.state.response.visitors.get(badge)
            person_id = visitor.host_id if visitor is not None else ""
            code, params = "notice.bring_out", {**params, "badge": badge}
        self._teller.tell_persons(
            (person_id,),
            code,
            params,
            about,
            mark=record.mark,
            cause=_after(envelope),
        )

    def _over(self, evacuation_id: str) -> None:
        self._teller.close_about(f"{evacuation_id}/muster")

    def _drill_ended(self, body: DrillEnded, envelope: Envelope) -> None:
        """Tell everybody of it; that what comes now is real is no drill's word."""
        record = self._hub.state.response.drills.get(body.evacuation_id)
        self._teller.close_about(body.evacuation_id)
        self._over(body.evacuation_id)
        if record is None:
            return
        real = body.why == "real_alarm"
        self._teller.tell_persons(
            [p for p in record.roll if not p.startswith(VISITOR)],
            "notice.drill_real" if real else "notice.drill_over",
            {"zone": record.zones[0]},
            "" if real else f"{body.evacuation_id}/over",
            mark="" if real else record.mark,
            cause=Cause(actor=envelope.cause.actor, parent=envelope.id, drill=not real),
        )

    def _drill_due(self, body: DrillDue, envelope: Envelope) -> None:
        self._teller.tell(
            roles=("safety_officer",),
            channels=(LOCAL,),
            code="notice.drill_due" if body.days else "notice.drill_overdue",
            params={"plan": body.plan, "days": body.days},
            about=f"drill:{body.plan}",
            cause=_after(envelope),
        )

    def _evacuation_late(self, body: EvacuationLate, envelope: Envelope) -> None:
        record = self._hub.state.response.call(body.evacuation_id)
        self._teller.tell(
            roles=_LATE_ROLES,
            channels=(LOCAL,),
            code="notice.evacuation_late",
            params={
                "people": ", ".join(body.missing),
                "zone": record.zones[0] if record else "",
            },
            about=body.evacuation_id,
            respond_s=_ANSWER_S,
            mark=record.mark if record else "",
            cause=_after(envelope),
        )


def _after(envelope: Envelope) -> Cause:
    drill = envelope.cause.drill
    return Cause(actor=envelope.cause.actor, parent=envelope.id, drill=drill)


def _gather(record: EvacuationRecord) -> dict[str, Value]:
    """Return where to gather, and what to add where nobody can be sure."""
    then = "" if record.muster_points else "muster.none"
    if record.muster_points and record.wind == "unknown":
        then = "muster.wind_unknown"
    found: dict[str, Value] = {"muster": ", ".join(record.muster_points)}
    if record.muster_points:
        then = f"muster.at {then}".strip()
    return {**found, "then": then}
