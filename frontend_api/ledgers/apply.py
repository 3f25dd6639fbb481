"""Carry an accepted plan into the vault and, by acts, into the journal."""

from collections.abc import Awaitable, Callable, Iterable

import msgspec

from core.api.reading import Value
from core.config import Bundle
from core.people import acts
from core.people.acts import Act
from core.people.cards_state import CardsState
from core.people.vault import Vault, VaultError
from core.state import SiteState
from frontend_api.ledgers.plan import Card, Entry, Fields, Holding, Known

#: Asks the core for an act and returns its result; raises NotDone, or what its
#: link raises when nobody knows whether the act was done.
Ask = Callable[[Act], Awaitable[dict[str, Value]]]
_fields = msgspec.msgpack.Decoder(Fields)
_card = msgspec.msgpack.Decoder(Card)
_encoder = msgspec.msgpack.Encoder(order="deterministic")


class NotDone(Exception):
    """The hub refused an act; the text says why, in the asker's language."""


class Change(msgspec.Struct, kw_only=True):
    """Tell what the import does to one person."""

    person_id: str
    fields: Fields
    company: str
    record: bool
    """True: the person's file is opened or renewed."""
    new: bool
    """True: the site did not know the person."""
    cards: list[Card]
    rows: list[int]


def known(state: SiteState, bundle: Bundle, vault: Vault) -> Known:
    """Gather what the site knows; a file that cannot be read is passed over."""
    cards = state.people.cards
    found = Known(
        persons={p.id: (p.name, p.company) for p in bundle.people},
        ended=frozenset(c for c, r in cards.companies.items() if r.facts.ended),
        erased=frozenset(cards.erased),
    )
    for person_id, facts in cards.persons.items():
        try:
            fields = _fields.decode(vault.get(person_id, "fields", facts.fields))
        except (VaultError, msgspec.MsgspecError):
            continue
        found.by_number[fields.id_number] = Holding(
            person_id=person_id,
            fields=fields,
            company=facts.company_id,
            cards=_holdings(cards, vault, person_id),
        )
    return found


def _holdings(
    cards: CardsState, vault: Vault, person_id: str
) -> dict[tuple[str, str, str], str]:
    held: dict[tuple[str, str, str], str] = {}
    for record in cards.of(person_id):
        try:
            card = _card.decode(vault.get(person_id, "document", record.document))
        except (VaultError, msgspec.MsgspecError):
            continue
        held[card.trade, card.card_no, card.valid_to] = record.withdrawn
    return held


def changes(
    entries: Iterable[Entry], site: Known, new_id: Callable[[], str]
) -> list[Change]:
    """Join the rows of each person, and say whom of the site they are."""
    found: dict[str, Change] = {}
    for entry in entries:
        change = found.get(entry.fields.id_number)
        if change is None:
            change = _begin(entry, site, new_id, {c.person_id for c in found.values()})
            found[entry.fields.id_number] = change
        change.rows.append(entry.row)
        if entry.card is not None:
            change.cards.append(entry.card)
        change.company = change.company or entry.company
        if not change.fields.phone and entry.fields.phone:
            change.fields = entry.fields
    for number, change in found.items():
        held = site.by_number.get(number)
        change.record = held is None or (held.fields, held.company) != (
            change.fields,
            change.company,
        )
    return list(found.values())


def _begin(
    entry: Entry, site: Known, new_id: Callable[[], str], taken: set[str]
) -> Change:
    held = site.by_number.get(entry.fields.id_number)
    person_id = held.person_id if held else entry.person_id or _named(entry, site)
    if not person_id or person_id in taken:
        person_id = new_id()
    fields, company = entry.fields, entry.company
    if held is not None:
        company = company or held.company
        if not fields.phone:
            fields = msgspec.structs.replace(fields, phone=held.fields.phone)
    return Change(
        person_id=person_id,
        fields=fields,
        company=company,
        record=True,
        new=held is None and person_id not in site.persons,
        cards=[],
        rows=[],
    )


def _named(entry: Entry, site: Known) -> str:
    """Return the one of the configuration with this name and company, or ''.

    The company must be told and equal: a name alone is no identity.
    """
    held = {h.person_id for h in site.by_number.values()}
    same = [
        person_id
        for person_id, (name, company) in site.persons.items()
        if name == entry.fields.name and company and company == entry.company
    ]
    return same[0] if len(same) == 1 and same[0] not in held else ""


async def carry_out(change: Change, vault: Vault, ask: Ask) -> int:
    """Write one person and their cards; returns how many acts were done.

    Each blob is on disk before the act that names it (design §5). What the hub
    refuses for a person whom it does not know leaves nothing in the vault.
    """
    done = 0
    try:
        if change.record:
            stored = _encoder.encode(change.fields)
            act = acts.RecordPerson(
                person_id=change.person_id,
                fields=vault.put(change.person_id, "fields", stored),
                company_id=change.company,
            )
            await ask(act)
            done += 1
        for card in change.cards:
            await ask(_record(change.person_id, card, vault))
            done += 1
    except NotDone:
        if change.new and not done:
            vault.erase(change.person_id)
        raise
    return done


def _record(person_id: str, card: Card, vault: Vault) -> acts.RecordCard:
    return acts.RecordCard(
        person_id=person_id,
        trade=card.trade,
        kind=msgspec.convert(card.kind, acts.CardKind),
        valid_from=card.valid_from,
        valid_to=card.valid_to,
        review_by=card.review_by,
        document=vault.put(person_id, "document", _encoder.encode(card)),
    )
