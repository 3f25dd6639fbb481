"""What people filled into the statutory form, cell by cell (GB 30871-2022 annex A)."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from core import texts
from core.permits.gas_tests_events import GasSample
from core.permits.life_state import SlotSigned
from core.permits.state import PermitRecord
from frontend_api.paper.history import PastHold

#: A line of the gas table: gas, value, time, verdict, how, analyst.
GasRow = tuple[str, str, str, str, str, str]


#: Says why a hold lies: its code and parameters as a sentence.
Why = Callable[[str, dict[str, Any]], str]
#: Holds that have room on paper; the journal tells them all.
_HOLDS = 4


class Words(NamedTuple):
    """Say names, times and codes in the language of the sheet."""

    language: str
    person: Callable[[str], str]
    time: Callable[[int], str]
    gas: Callable[[str], str]

    def say(self, code: str, **params: object) -> str:
        """Return a text of the paper room."""
        return texts.render(f"paper.{code}", params, self.language)


def signature(permit: PermitRecord, slot: str, words: Words) -> str:
    """Return who signed a slot, when and where; '' while it is open.

    What was entered after the act is marked, and so is a place nobody proved.
    """
    signed = permit.life.signed.get(slot)
    if signed is not None:
        return _signed(signed, words)
    told = {"briefer": [permit.life.briefer], "briefed": permit.life.briefed}
    names = [words.person(each) for each in told.get(slot, ()) if each]
    return words.say("joined", names="、".join(names)) if names else ""


def _signed(signed: SlotSigned, words: Words) -> str:
    parts = [words.person(signed.person_id), words.time(signed.wall_ns)]
    if signed.for_id:
        parts.append(words.say("for", person=words.person(signed.for_id)))
    parts.append(words.say(f"spot.{signed.place}", method=signed.method))
    if signed.late:
        parts.append(words.say("late"))
    return "  ".join(parts)


def mark(permit: PermitRecord, measure: str, words: Words) -> tuple[str, str]:
    """Return whether a measure is involved, and who says so; open while unanswered."""
    told = permit.life.measures.get(measure)
    if told is None:
        return words.say("yes_no"), ""
    by = permit.life.analysed_by
    note = f"{words.person(by)} {told.note}".strip() if by else told.note
    return words.say("mark.yes" if told.involved else "mark.no"), note


def holds(lain: Sequence[PastHold], why: Why, words: Words) -> str:
    """Return the last holds: since when, why, until when, who released them."""
    lines = []
    for each in lain[-_HOLDS:]:
        until = words.say("lies") if not each.until_ns else words.time(each.until_ns)
        line = f"{words.time(each.since_ns)} {why(each.code, each.params)} → {until}"
        if each.by:
            line += f" {words.person(each.by)}"
        lines.append(f"{line}（{each.reason}）" if each.reason else line)
    earlier = len(lain) - len(lines)
    if earlier:
        lines.insert(0, words.say("earlier", count=earlier))
    return "；".join(lines)


def approver_of(permit: PermitRecord) -> str:
    """Return who issued it: the approver's signature, or the one step's person."""
    signed = permit.life.signed.get("approver")
    return signed.person_id if signed is not None else permit.issuer_id


def hazards(permit: PermitRecord) -> str:
    """Return the hazards that the analysis named, with their controls."""
    rows = [f"{each.text}（{each.control}）" for each in permit.life.hazards]
    return "；".join(rows)


def tests(permit: PermitRecord, words: Words) -> list[GasRow]:
    """Return the newest test of each gas and place, the oldest first."""
    newest: dict[tuple[str, str], tuple[GasSample, str]] = {}
    for record in permit.gas.tests:
        if not record.person_id:
            continue  # the hub's own records of what hangs there
        for sample in record.samples:
            newest.pop((sample.gas, sample.place), None)
            newest[sample.gas, sample.place] = sample, record.person_id
    return [_row(sample, by, words) for sample, by in newest.values()]


def _row(sample: GasSample, by: str, words: Words) -> GasRow:
    place = words.say(f"at.{sample.place}") if sample.place else ""
    passed = sample.verdict == "passed" and sample.evidence
    return (
        f"{words.gas(sample.gas)} {place}".strip(),
        f"{sample.value:g} {sample.unit}",
        words.time(sample.measured.start_wall_ns),
        words.say("yes" if passed else "no"),
        words.say("typed" if sample.typed else "by_meter"),
        words.person(by),
    )
