"""Who and what is inside under a permit, as its log tells it.

Imports nothing of `core.permits.state`, which holds an `EntryState` in each permit.
"""

from typing import TYPE_CHECKING

import msgspec

from core.deadlines import Deadline, moment
from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.permits.entries_events import (
    EntryEvent,
    EntryIn,
    EntryLogOpened,
    EntryOut,
    EntryRestored,
    EntrySeen,
)

if TYPE_CHECKING:
    from core.state import SiteState


class Inside(msgspec.Struct, kw_only=True):
    """Hold one person who is inside."""

    since_wall_ns: int
    rescue: bool = False
    ppe: bool = False
    seen: bool = False
    """True: found inside, not logged in by a person."""


class EntryState(msgspec.Struct, kw_only=True):
    """Hold the log of one permit."""

    opened_by: str = ""
    people: dict[str, Inside] = {}
    tools: dict[str, str] = {}
    """Tool → who brought it in."""
    out: dict[str, Deadline] = {}
    """Person → when they were last logged out, as a deadline of no length."""


def _log(state: "SiteState", body: EntryEvent | EntryLogOpened) -> EntryState | None:
    permit = state.permits.permits.get(body.permit_id)
    return permit.entries if permit is not None else None


@folds(EntryLogOpened)
def _opened(state: "SiteState", body: EntryLogOpened, _: Envelope) -> None:
    log = _log(state, body)
    if log is not None:
        log.opened_by = body.person_id


@folds(EntryIn)
def _in(state: "SiteState", body: EntryIn, envelope: Envelope) -> None:
    log = _log(state, body)
    if log is None:
        return
    log.people[body.person_id] = Inside(
        since_wall_ns=envelope.wall_ns, rescue=body.rescue, ppe=body.ppe
    )
    log.out.pop(body.person_id, None)
    log.tools |= dict.fromkeys(body.tools, body.person_id)


@folds(EntrySeen)
def _seen(state: "SiteState", body: EntrySeen, envelope: Envelope) -> None:
    log = _log(state, body)
    if log is not None and body.person_id not in log.people:
        log.people[body.person_id] = Inside(since_wall_ns=envelope.wall_ns, seen=True)
        log.out.pop(body.person_id, None)


@folds(EntryOut)
def _out(state: "SiteState", body: EntryOut, envelope: Envelope) -> None:
    log = _log(state, body)
    if log is None:
        return
    if log.people.pop(body.person_id, None) is not None:
        log.out[body.person_id] = moment(envelope)
    for tool in body.tools:
        log.tools.pop(tool, None)


@folds(EntryRestored)
def _restored(state: "SiteState", body: EntryRestored, envelope: Envelope) -> None:
    log = _log(state, body)
    if log is None:
        return
    if body.inside:
        log.out.pop(body.person_id, None)
        log.people.setdefault(
            body.person_id,
            Inside(since_wall_ns=envelope.wall_ns, rescue=body.rescue, ppe=body.ppe),
        )
    for tool in body.tools:
        log.tools.setdefault(tool, body.person_id)
