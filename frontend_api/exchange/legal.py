"""What a ticket of AQ 3064.2 says of a permit under a legal pack.

Kinds come from the pack that a permit pins, as the journal keeps it, so that a ticket
means the same years later.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from core.clock import NS
from core.config import Bundle
from core.permits.gas_tests_events import GasSample
from core.permits.life_events import (
    PermitAccepted,
    PermitCancelled,
    PermitCompleted,
    PermitRejected,
)
from core.permits.pack import Kind, Pack
from core.permits.state import PermitRecord
from core.state import SiteState
from frontend_api.exchange import aq

#: Events that end the work of a permit, or its way to it.
ENDS = (PermitCompleted, PermitRejected, PermitCancelled)
CHECKS = (PermitAccepted,)
#: How far a permit is no ticket yet: the form was not filled in (domain §1.3).
NO_TICKET = ("booked",)
#: Outcome of a closed permit → the status that its ticket keeps.
OUTCOMES = {
    "completed": "closed",
    "paper": "closed",
    "expired": "expired",
    "rejected": "rejected",
    "superseded": "superseded",
}


class Times(NamedTuple):
    """Hold moments that the site's state does not keep, 0 while unknown."""

    created_ns: int
    ended_ns: int
    checked_ns: int


class Legal:
    """Find the kinds of legal permits, and fill the fields that they have more of."""

    def __init__(self) -> None:
        self._packs: dict[str, Pack] = {}

    def learn(self, state: SiteState, permit: PermitRecord) -> None:
        """Keep the pack that a permit pins."""
        digest = permit.life.pack
        data = state.permits.packs.data.get(digest)
        if data is not None and digest not in self._packs:
            self._packs[digest] = msgspec.msgpack.decode(data, type=Pack)

    def kind(self, permit: PermitRecord) -> Kind | None:
        """Return the kind of a permit; None when it has one step, or is unknown."""
        pack = self._packs.get(permit.life.pack)
        return None if pack is None else pack.kind(permit.kind)

    def owes(self, permit: PermitRecord, types: dict[str, str]) -> bool:
        """Say whether the park gets a ticket: forms beside the eight works are ours."""
        if not permit.life.pack:
            return True
        kind = self.kind(permit)
        uncoded = kind is not None and not kind.code and permit.kind not in types
        return str(permit.status) not in NO_TICKET and not uncoded


def moments(
    permit: PermitRecord, times: Times, written: Callable[[int], str]
) -> dict[str, str]:
    """Return when a ticket was issued and begun; planned until it was."""
    life = permit.life
    issued = permit.issued_wall_ns or times.created_ns
    start = life.started.start_wall_ns if life.started else life.from_wall_ns
    if times.ended_ns and life.started is None:
        start = min(start, times.ended_ns)
    return {
        "ISSUETIME": written(min(issued, times.ended_ns or issued)),
        "STARTTIME": written(max(start, 0)),
    }


def gas(
    permit: PermitRecord, bundle: Bundle, written: Callable[[int], str]
) -> dict[str, str | None]:
    """Return names, times and values of the newest tests, side by side."""
    newest = [each.sample for each in permit.gas.latest.values()]
    names = {q.id: q.names.zh for q in bundle.quantities}
    told: list[tuple[str, str, str]] = [
        (
            names.get(sample.gas, sample.gas).replace(aq.COMMA, " "),
            written(sample.measured.start_wall_ns // NS * NS),
            value(sample),
        )
        for sample in newest
    ]
    columns = zip(*told, strict=True) if told else ((), (), ())
    fields = ("GASNAME", "GASTIME", "GASVALUE")
    return {
        field: aq.COMMA.join(column) or None
        for field, column in zip(fields, columns, strict=True)
    }


def value(sample: GasSample) -> str:
    """Return a sample's value with its unit."""
    return f"{sample.value:g}{sample.unit}"


def changes(permit: PermitRecord) -> str:
    """Return what was changed after the issue, in Chinese; '' when nothing was."""
    life = permit.life
    found = {
        f"变更换票：{life.reason}": bool(life.replaced_by),
        "监护人交接": life.watches > 0,
        "增加作业人员": bool(life.added),
    }
    return "；".join(text for text, changed in found.items() if changed)


def people(permit: PermitRecord, own: str) -> dict[str, Any]:
    """Return the firm and the department that work, as the booking names them."""
    life = permit.life
    firm = life.company if life.company not in ("", own) else ""
    told: dict[str, Any] = {}
    if life.unit or firm:
        told["WORKDEPARTMENT"] = firm or life.unit
    if firm:
        told["ISCONTRACTORWORK"] = aq.flag(True)
    return told
