"""'Are you there?': what happens between a lost fix of the guardian and the hold.

Seen leaving holds at once, by `guardian_present` being FALSE. A place that is merely
lost is asked for at once; after 60 s the permit is held (GB 30871 4.10 f).
"""

from collections.abc import Iterable
from typing import Final, Protocol

from core.api.errors import Refused
from core.api.reading import Value
from core.clock import NS
from core.deadlines import Deadline
from core.hub import CORE, Hub
from core.journal.envelope import Cause
from core.logic.truth import Truth
from core.people.access import Access, Answer
from core.people.events import PersonMoved
from core.people.people import SETTLE_S
from core.people.places import FIX_S, Found, Places
from core.permits.guardian_acts import GuardianHere
from core.permits.guardian_events import (
    GuardianAnswered,
    GuardianAsked,
    GuardianFound,
)
from core.permits.lifecycle import RUNNING, PermitStatus
from core.permits.people_facts import GUARDIAN_LOST_S, PeopleFacts
from core.permits.state import PermitRecord

ARE_YOU_THERE: Final = "guardian.are_you_there"


class Notices(Protocol):
    """Tell named people, and take back what is no question any more."""

    def tell_persons(
        self,
        persons: Iterable[str],
        code: str,
        params: dict[str, Value],
        about: str,
        mark: str = "",
        cause: Cause = CORE,
    ) -> list[str]:
        """Tell named people by every channel of theirs."""

    def close_about(self, about: str) -> None:
        """Close every notice about something that has ended."""


class GuardianWatch:
    """Ask lost guardians, and take their answers; holding is for the interlocks."""

    def __init__(
        self,
        hub: Hub,
        access: Access,
        facts: PeopleFacts,
        notices: Notices,
        places: Places,
    ) -> None:
        self._hub, self._facts, self._notices = hub, facts, notices
        self._places = places
        self._settled_ns = 0
        hub.on(PersonMoved, lambda body, _: self._moved(body.person_id))
        access.bind(GuardianHere, self.here)

    def arm(self) -> None:
        """Derive nothing from the bundle."""

    def recover(self, clean: bool) -> None:
        """Give tags a moment to speak before their silence is asked about."""
        self._settled_ns = self._hub.clock.mono_ns() + int(SETTLE_S * NS)

    def tick(self) -> None:
        """Look at every running permit's guardian, and at every open question."""
        asked = self._hub.state.permits.asked
        for permit in self._facts.roster.open():
            if permit.status in RUNNING or permit.id in asked:
                self._look(permit)
        for permit_id in [each for each in asked if self._over(each)]:
            self._close(permit_id)

    def here(
        self, actor: str, act: GuardianHere, _version: int | None, cause: Cause
    ) -> Answer:
        """Take an answer: a device's word is no position, and resets nothing."""
        asked = self._hub.state.permits.asked.get(act.permit_id)
        if asked is None or asked.person_id != actor:
            raise Refused("guardian.not_asked", permit=act.permit_id)
        permit = self._hub.state.permits.permits[act.permit_id]
        zone_id, found = self._placed(permit, cause)
        until = None
        if zone_id:
            left_s = min(FIX_S - found.age_s, FIX_S)
            until = Deadline.after(self._hub.clock, left_s, protective=False)
        self._hub.emit(
            GuardianAnswered(
                permit_id=permit.id,
                person_id=actor,
                zone_id=zone_id,
                until=until,
                method=found.method,
            ),
            cause,
        )
        if zone_id:
            self._notices.close_about(_about(permit.id))
        return {"permit_id": permit.id, "zone_id": zone_id, "why": found.why}

    def _placed(self, permit: PermitRecord, cause: Cause) -> tuple[str, Found]:
        """Return the zone at the work in which an answer proves its signer to be."""
        first = self._places.of(cause, permit.zone_id)
        for zone_id in self._facts.near(permit):
            found = self._places.of(cause, zone_id)
            if found.truth is Truth.TRUE:
                return zone_id, found
        return "", first

    # --- the question ---------------------------------------------------------

    def _moved(self, person_id: str) -> None:
        permits = self._hub.state.permits.permits
        for permit_id in sorted(self._facts.roster.permits_of((person_id,))):
            self._look(permits[permit_id])

    def _look(self, permit: PermitRecord) -> None:
        asked = self._hub.state.permits.asked.get(permit.id)
        if asked is not None and asked.person_id != permit.guardian_id:
            self._close(permit.id)
            asked = None
        if not permit.guardian_id:
            return
        known = self._facts.guardian_place(permit.guardian_id, permit) is not None
        proven = asked is not None and asked.placed is not None
        waits = asked is not None and not proven
        if known:
            if waits or (proven and not self._counts(permit.id)):
                self._close(permit.id)
        elif not waits and permit.status in RUNNING and self._settled():
            # Never asked yet, or what the last answer proved is too old by now.
            self._ask(permit)

    def _counts(self, permit_id: str) -> bool:
        """Say whether the last answer still proves a place."""
        asked = self._hub.state.permits.asked[permit_id]
        left = asked.placed.remaining_ns(self._hub.clock) if asked.placed else None
        return left is not None and left > 0

    def _settled(self) -> bool:
        return self._hub.clock.mono_ns() >= self._settled_ns

    def _ask(self, permit: PermitRecord) -> None:
        until = Deadline.after(self._hub.clock, GUARDIAN_LOST_S)
        asked = self._hub.emit(
            GuardianAsked(
                permit_id=permit.id, person_id=permit.guardian_id, until=until
            )
        )
        params: dict[str, Value] = {
            "permit": permit.title,
            "permit_id": permit.id,
            "zone": permit.zone_id,
            "seconds": int(GUARDIAN_LOST_S),
        }
        cause = Cause(actor=CORE.actor, parent=asked.id)
        people = (permit.guardian_id,)
        about = _about(permit.id)
        self._notices.tell_persons(people, ARE_YOU_THERE, params, about, "", cause)

    def _over(self, permit_id: str) -> bool:
        """Say whether a permit asks for no guardian any more."""
        permit = self._hub.state.permits.permits.get(permit_id)
        waits = (*RUNNING, PermitStatus.HELD)
        return permit is None or permit.status not in waits

    def _close(self, permit_id: str) -> None:
        asked = self._hub.state.permits.asked.get(permit_id)
        if asked is not None:
            self._hub.emit(
                GuardianFound(permit_id=permit_id, person_id=asked.person_id)
            )
            self._notices.close_about(_about(permit_id))


def _about(permit_id: str) -> str:
    return f"guardian:{permit_id}"
