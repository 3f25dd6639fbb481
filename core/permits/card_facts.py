"""What the cards of a permit's people say (H4: GB 30871 4.9, AQ 3064.2 5.9.7)."""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from core.api.reading import Value
from core.logic.truth import Truth, all_of
from core.people.cards import Cards, Finding
from core.permits.pack import Kind
from core.permits.state import PermitRecord

Judge = Callable[[str, str], Finding]
"""Says what a person's cards of a trade are worth today."""
_RANK: Final = {Truth.FALSE: 0, Truth.UNKNOWN: 1, Truth.TRUE: 2}
_YES, _NO, _OPEN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN


class Aspects(NamedTuple):
    """Split one finding as the law splits it: present, right trade, date, holder."""

    present: Truth
    trade: Truth
    date: Truth
    holder: Truth


#: Why a card does not count → what that says of each aspect. What a missing card
#: would have said stays open: its alarm is 'no card', not 'card expired' as well.
_WHY: Final = {
    "": Aspects(_YES, _YES, _YES, _YES),
    "no_card": Aspects(_NO, _NO, _OPEN, _OPEN),
    "withdrawn": Aspects(_NO, _YES, _NO, _OPEN),
    "company_ended": Aspects(_OPEN, _OPEN, _NO, _OPEN),
    "expired": Aspects(_YES, _YES, _NO, _OPEN),
    "review_overdue": Aspects(_YES, _YES, _NO, _OPEN),
    "not_yet": Aspects(_YES, _YES, _NO, _OPEN),
    "mismatch": Aspects(_YES, _YES, _OPEN, _NO),
    "registry_unknown": Aspects(_YES, _YES, _YES, _OPEN),
    "clock_untrusted": Aspects(_YES, _YES, _OPEN, _OPEN),
}
_NOTHING: Final = Aspects(_OPEN, _OPEN, _OPEN, _OPEN)


def card_facts(
    cards: Cards, judge: Judge, permit: PermitRecord, kind: Kind
) -> dict[str, Value]:
    """Return the card facts of a permit; what cannot be told is left out.

    A worker needs the trade that the form gives them; of each trade of the kind at
    least one worker needs a card.
    """
    needs = list(_needs(permit, kind))
    if not needs:
        return {"card_required": False}
    found = [_aspects(cards, _best(judge, need), need) for need in needs]
    facts: dict[str, Value] = {"card_required": True}
    for name, truths in (
        ("card_present", [each.present for each in found]),
        ("card_trade_ok", [each.trade for each in found]),
        ("card_valid", [each.date for each in found]),
        ("card_matches_person", [each.holder for each in found]),
    ):
        truth = all_of(truths)
        if truth is not Truth.UNKNOWN:
            facts[name] = truth is Truth.TRUE
    return facts


class Need(NamedTuple):
    """Name people and trades: one of them with one of these is enough."""

    people: tuple[str, ...]
    trades: tuple[str, ...]


def _needs(permit: PermitRecord, kind: Kind) -> Iterable[Need]:
    given = permit.life.trades
    if given:
        people = permit.people()
        for person_id, trade in given.items():
            if trade and person_id in people:
                yield Need((person_id,), (trade,))
    for either in kind.trades:
        trades = tuple(either.split("|"))
        # Those first to whom the form gives the trade: one card that counts is enough.
        workers = permit.workers
        first = [w for w, trade in given.items() if trade in trades and w in workers]
        yield Need((*first, *workers), trades)


def _best(judge: Judge, need: Need) -> Finding:
    best = Finding(Truth.FALSE, "no_card")
    for person_id in need.people:
        for trade in need.trades:
            found = judge(person_id, trade)
            if found.truth is Truth.TRUE:
                return found
            if _order(found) > _order(best):
                best = found
    return best


def _order(found: Finding) -> tuple[int, bool]:
    """Of two cards that do not count, the one that is at least there says more."""
    return _RANK[found.truth], found.why != "no_card"


def _aspects(cards: Cards, best: Finding, need: Need) -> Aspects:
    found = _WHY.get(best.why, _NOTHING)
    if best.why == "no_card" and any(
        not card.withdrawn
        for person_id in need.people
        for card in cards.state.of(person_id)
    ):
        return found._replace(present=_YES)
    card = cards.state.cards.get(best.card_id)
    # The date says nothing of the holder: who recorded the card has seen it.
    seen = card is not None and not card.withdrawn and card.verdict in ("", "valid")
    return found._replace(holder=_YES) if seen else found
