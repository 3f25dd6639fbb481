"""Orders that follow from events by themselves, without any automation."""

from collections.abc import Iterable
from typing import Protocol

from core.api.reading import Value
from core.hub import Hub
from core.journal.envelope import Cause, Envelope
from core.permits.events import PermitExpired, PermitHeld
from core.permits.life_events import PermitCancelled
from core.response.events import (
    EvacuationLate,
    EvacuationReopened,
    EvacuationStarted,
)

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


class Orders:
    """Send the safe-state order of a hold, the call to leave, the late list."""

    def __init__(self, hub: Hub, teller: Teller) -> None:
        self._hub, self._teller = hub, teller
        hub.on(PermitHeld, self._permit_held)
        hub.on(PermitExpired, self._permit_expired)
        hub.on(PermitCancelled, self._permit_cancelled)
        hub.on(EvacuationStarted, self._evacuation_started)
        hub.on(EvacuationReopened, self._evacuation_reopened)
        hub.on(EvacuationLate, self._evacuation_late)

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
        self._teller.tell_persons(
            (*permit.workers, permit.guardian_id, permit.supervisor_id),
            self._order(body.safe_state, permit.zone_id),
            {"zone": permit.zone_id, "permit": permit.id, "hold": body.hold.code},
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

    def _call_out(self, evacuation_id: str, envelope: Envelope) -> None:
        record = self._hub.state.response.evacuations[evacuation_id]
        for line in list(record.roll.values()):
            zone_id = line.zone_id or record.zones[0]
            self._teller.tell_persons(
                (line.person_id,),
                self._order("leave", zone_id),
                {"zone": zone_id, "muster": ", ".join(record.muster_points)},
                evacuation_id,
                mark=record.mark,
                cause=_after(envelope),
            )

    def _evacuation_late(self, body: EvacuationLate, envelope: Envelope) -> None:
        record = self._hub.state.response.evacuations.get(body.evacuation_id)
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
    return Cause(actor=envelope.cause.actor, parent=envelope.id)
