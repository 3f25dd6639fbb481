"""Drills over HTTP: their reports, computed from the journal outside the core."""

import asyncio
from pathlib import Path

import msgspec

from core.journal import envelope as envelopes
from core.journal.events import decode_body
from core.journal.reader import Event as Stored
from core.journal.reader import events as stored_events
from core.journal.segment import RealDisk
from core.response.roll_state import EvacuationRecord
from frontend_api.drill_report import DrillReport, reports
from frontend_api.guard import Call, Route
from frontend_api.problems import Problem
from frontend_api.replica import Kept, Replica


class DrillList(msgspec.Struct, kw_only=True):
    """List the drills of late, the newest first."""

    items: list[DrillReport]


class Drills:
    """Answer reads of drills; keep the reports of those that are over."""

    def __init__(self, replica: Replica, data: Path) -> None:
        self.replica = replica
        self._folder = data / "journal"
        self._known: dict[str, DrillReport] = {}

    def routes(self) -> list[Route]:
        """Return the routes of this module."""
        return [
            Route("GET", "/api/v1/drills", self.many, "Drills and their scores",
                  reply=DrillList),
            Route("GET", "/api/v1/drills/{id}", self.one, "One drill's score",
                  reply=DrillReport),
        ]  # fmt: skip

    async def many(self, _: Call) -> DrillList:
        """Report on every drill that the hub remembers."""
        found = list(self.replica.state.response.drills.values())
        made = [await self._report(record) for record in reversed(found)]
        return DrillList(items=[each for each in made if each is not None])

    async def one(self, call: Call) -> DrillReport:
        """Report on one drill."""
        wanted = call.request.match_info["id"]
        record = self.replica.state.response.drills.get(wanted)
        made = await self._report(record) if record is not None else None
        if made is None:
            raise Problem("gateway.not_found")
        return made

    async def _report(self, record: EvacuationRecord) -> DrillReport | None:
        known = self._known.get(record.id)
        if known is not None and known.ended_ms:
            return known
        made = await asyncio.to_thread(self._read, record)
        if made is not None:
            self._known[record.id] = made
            drills = self.replica.state.response.drills
            for old in self._known.keys() - drills.keys():
                del self._known[old]
        return made

    def _read(self, record: EvacuationRecord) -> DrillReport | None:
        """Read the events of a drill from the journal's own files."""
        if not self._folder.is_dir():
            return None
        kept: list[Kept] = []
        last = record.last_seq or (1 << 62)
        disk = RealDisk(self._folder)
        try:
            for stored in stored_events(disk, max(0, record.first_seq - 1)):
                if not isinstance(stored, Stored):
                    continue
                if stored.seq > last:
                    break
                envelope = envelopes.decode(stored.payload)
                kept.append(Kept(decode_body(envelope), envelope))
        except OSError:
            return None
        finally:
            disk.close()
        made = reports(kept)
        return next((each for each in made if each.id == record.id), None)
