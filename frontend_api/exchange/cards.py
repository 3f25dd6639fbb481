"""The trade cards of a permit's workers: the journal's cards, their numbers' vault."""

from collections.abc import Callable

import msgspec

from core import texts
from core.people.cards_state import CardRecord
from core.people.vault import Vault, VaultError
from core.permits.state import PermitRecord
from core.state import SiteState
from frontend_api.exchange.settings import Card

#: Returns a card's number; '' where nobody can read it any more.
Number = Callable[[CardRecord], str]


class _Kept(msgspec.Struct):
    """Read of a card's document what a ticket tells."""

    card_no: str


_decoder = msgspec.msgpack.Decoder(_Kept)


def nobody(_card: CardRecord) -> str:
    """Return no number: there is no vault."""
    return ""


def from_vault(vault: Vault) -> Number:
    """Return a reader of the numbers that a vault keeps."""

    def number(card: CardRecord) -> str:
        try:
            data = vault.get(card.person_id, "document", card.document)
            return _decoder.decode(data).card_no
        except (VaultError, OSError, msgspec.MsgspecError):
            return ""  # a scan, or a person whose data were erased

    return number


def of(permit: PermitRecord, state: SiteState, number: Number) -> dict[str, Card]:
    """Return each worker's card that counts: of the form's trade, else the newest."""
    found = {}
    for worker in permit.workers:
        held = [c for c in state.people.cards.of(worker) if not c.withdrawn]
        asked = permit.life.trades.get(worker, "")
        held.sort(key=lambda card: (card.trade == asked, card.valid_to))
        for card in reversed(held):
            told = number(card)
            if told:
                found[worker] = Card(name=name_of(card.trade), number=told)
                break
    return found


def name_of(trade: str) -> str:
    """Return what the card of a trade is called, in Chinese."""
    code = f"aq.card.{trade}"
    if code not in texts.catalogue():
        return trade
    return texts.render(code, {}, "zh")
