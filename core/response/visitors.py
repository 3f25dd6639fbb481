"""People without a tag: visitors by badge, groups by number, those of the gate.

No name is kept: a badge says whom to look for, and their host knows them.
"""

from typing import Final

from core.api.errors import Refused
from core.hub import Hub
from core.journal.envelope import Cause, Envelope
from core.people.access import Access, Answer
from core.people.events import OUTSIDE
from core.people.people import People
from core.registry.events import DeviceReported
from core.response import roll_acts as acts
from core.response.events import RosterLine
from core.response.roll_events import VisitorSignedIn, VisitorSignedOut
from core.response.roll_state import VisitorRecord
from core.site.site import Site

#: Begins the id of a line that is no person of the site.
VISITOR: Final = "visitor:"


def roster_line(
    person_id: str, zone_id: str | None, *, certain: bool = True, count: int = 1
) -> RosterLine:
    """Return a line for a roll call."""
    return RosterLine(
        person_id=person_id, zone_id=zone_id, certain=certain, count=count
    )


class Visitors:
    """Count people in and out who have nothing that tells where they are."""

    def __init__(self, hub: Hub, access: Access, site: Site, people: People) -> None:
        self._hub, self._access = hub, access
        self._site, self._people = site, people
        self._gone: dict[str, VisitorRecord] = {}
        """Badge → who was signed out, until that is durable."""
        access.bind(acts.SignInVisitor, self._sign_in)
        access.bind(acts.SignOutVisitor, self._sign_out)
        hub.on(DeviceReported, self._reported)
        hub.undo(VisitorSignedOut, self._back)

    # --- for a roll call ------------------------------------------------------

    def lines(self, zones: set[str]) -> list[RosterLine]:
        """Return who may be in some zones and wears no tag."""
        badges = list(self._hub.state.response.visitors)
        found = [line for b in badges if (line := self.line(b, zones)) is not None]
        return [*self._untagged(), *found]

    def line(self, badge: str, zones: set[str]) -> RosterLine | None:
        """Return a visitor's line, None when they are known to be elsewhere.

        Where nobody said, a visitor is where the host is; where nobody finds the
        host either, the visitor may be anywhere.
        """
        visitor = self._hub.state.response.visitors.get(badge)
        if visitor is None:
            return None
        host = self._people.found(visitor.host_id) if visitor.host_id else None
        place = visitor.zone_id or host or None
        if place is not None and place not in zones:
            return None
        return roster_line(VISITOR + badge, place, certain=False, count=visitor.count)

    def _untagged(self) -> list[RosterLine]:
        """Return who came through a gate, and may have gone anywhere from there."""
        tagged = set(self._people.wearers().values())
        return [
            roster_line(person_id, presence.zone_id, certain=False)
            for person_id, presence in self._hub.state.people.presence.items()
            if presence.source == "gate"
            and presence.zone_id not in (None, OUTSIDE)
            and person_id not in tagged
        ]

    # --- in and out -----------------------------------------------------------

    def _reported(self, body: DeviceReported, envelope: Envelope) -> None:
        """Take a gate's word on a visitor's badge; what is worn is no gate."""
        device = self._hub.state.registry.devices.get(body.device_id)
        badge = body.params.get("visitor")
        if body.kind != "gate" or device is None or device.person_id is not None:
            return
        if not isinstance(badge, str) or not badge:
            return
        cause = Cause(actor=f"device:{device.id}", parent=envelope.id)
        badge = badge[:40]
        if body.params.get("direction", "in") != "out":
            if badge not in self._hub.state.response.visitors:
                self._hub.emit(VisitorSignedIn(badge=badge, by=device.id), cause)
        elif self._hub.journal.healthy():
            self._leave(badge, device.id, cause)

    def _sign_in(
        self, actor: str, act: acts.SignInVisitor, _version: int | None, cause: Cause
    ) -> Answer:
        if act.zone_id and self._site.zone(act.zone_id) is None:
            raise Refused("site.zone_unknown", zone=act.zone_id)
        if act.host_id and not self._access.known(act.host_id):
            raise Refused("act.person_unknown", person=act.host_id)
        body = VisitorSignedIn(
            badge=act.badge,
            count=act.count,
            zone_id=act.zone_id,
            host_id=act.host_id,
            by=actor,
        )
        self._hub.emit(body, cause)
        return {"badge": act.badge, "count": act.count}

    def _sign_out(
        self, actor: str, act: acts.SignOutVisitor, _version: int | None, cause: Cause
    ) -> Answer:
        if not self._leave(act.badge, actor, cause):
            raise Refused("visitor.unknown", badge=act.badge)
        return {"badge": act.badge}

    def _leave(self, badge: str, by: str, cause: Cause) -> bool:
        visitor = self._hub.state.response.visitors.get(badge)
        if visitor is None:
            return False
        self._gone[badge] = visitor

        def forget(durable: bool) -> None:
            if durable:
                self._gone.pop(badge, None)

        done = self._hub.emit(VisitorSignedOut(badge=badge, by=by), cause)
        self._hub.when_durable(done.seq, forget)
        return True

    def _back(self, body: VisitorSignedOut) -> None:
        """Count those in again whose way out the disk did not keep."""
        was = self._gone.pop(body.badge, None)
        self._hub.emit(
            VisitorSignedIn(
                badge=body.badge,
                count=was.count if was is not None else 1,
                zone_id=was.zone_id if was is not None else "",
                host_id=was.host_id if was is not None else "",
                by=body.by,
            )
        )
