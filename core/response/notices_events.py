"""How a person can be reached, and when not to be woken: events and their fold.

No address stands here: those are secrets. A channel's ``service`` tells its kind.
"""

from typing import TYPE_CHECKING

from core.journal.envelope import Envelope
from core.journal.events import Event, event
from core.journal.fold import folds
from core.response.notices_config import Span

if TYPE_CHECKING:
    from core.state import SiteState


@event("contact.kept")
class ContactKept(Event, frozen=True, kw_only=True):
    """A person can be reached by a channel; its address is among the secrets."""

    person_id: str
    channel: str
    service: str
    by: str


@event("contact.dropped")
class ContactDropped(Event, frozen=True, kw_only=True):
    """A person is no more reached by a channel."""

    person_id: str
    channel: str
    by: str


@event("notice.quiet")
class QuietSet(Event, frozen=True, kw_only=True):
    """A person chose quiet hours: life safety and whatever is urgent ignore them."""

    person_id: str
    spans: tuple[Span, ...]


@folds(ContactKept)
def _kept(state: "SiteState", body: ContactKept, _: Envelope) -> None:
    contacts = state.response.contacts.setdefault(body.person_id, {})
    contacts[body.channel] = body.service


@folds(ContactDropped)
def _dropped(state: "SiteState", body: ContactDropped, _: Envelope) -> None:
    contacts = state.response.contacts.get(body.person_id, {})
    contacts.pop(body.channel, None)
    if not contacts:
        state.response.contacts.pop(body.person_id, None)


@folds(QuietSet)
def _quiet(state: "SiteState", body: QuietSet, _: Envelope) -> None:
    state.response.quiet[body.person_id] = list(body.spans)
