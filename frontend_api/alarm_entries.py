"""How each event is entered into the alarms' book: alarms, deeds, assets, works."""

import sqlite3
from collections.abc import Callable
from typing import Any

import msgspec

from core.journal.envelope import Envelope
from core.journal.events import Event

MS = 1_000_000

#: Table → its columns.
TABLES = {
    "meta": "name TEXT PRIMARY KEY, value BLOB",
    "span": "name TEXT PRIMARY KEY, value INTEGER",
    "alarms": (
        "id TEXT PRIMARY KEY, source TEXT, condition TEXT, kind TEXT,"
        " priority INTEGER, zone TEXT, life_safety INTEGER, mark TEXT, device TEXT,"
        " model TEXT, quantity TEXT, works TEXT, raised_ms INTEGER, seq INTEGER,"
        " synced INTEGER, acknowledged_ms INTEGER DEFAULT 0,"
        " acknowledged_by TEXT DEFAULT '', returned_ms INTEGER DEFAULT 0,"
        " closed_ms INTEGER DEFAULT 0, count INTEGER DEFAULT 1,"
        " quiet INTEGER DEFAULT 0, verdict TEXT DEFAULT '',"
        " judged_by TEXT DEFAULT '', outcome TEXT DEFAULT '', root TEXT DEFAULT '',"
        " classified_by TEXT DEFAULT '', note TEXT DEFAULT '', params TEXT"
    ),
    "activations": "ms INTEGER, alarm TEXT",
    "deeds": "ms INTEGER, what TEXT, zone TEXT, ref TEXT, serves TEXT",
    "shelves": "alarm TEXT, person TEXT, reason TEXT, ms INTEGER",
    "devices": "id TEXT PRIMARY KEY, model TEXT, zone TEXT",
    "entities": "id TEXT PRIMARY KEY, device TEXT, quantity TEXT",
    "permits": "id TEXT PRIMARY KEY, kind TEXT, zone TEXT, running INTEGER",
    "runs": "id TEXT PRIMARY KEY, alarm TEXT, rule TEXT",
    "weather": (
        "alarm TEXT, quantity TEXT, value REAL, quality INTEGER,"
        " PRIMARY KEY (alarm, quantity)"
    ),
}
_ENDS = ("closed", "expired", "completed", "cancelled", "rejected", "withdrawn")


class Entries:
    """Enter events into the tables; the order is the journal's."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._do = db.execute

    def take(self, body: Event, envelope: Envelope) -> None:
        """Enter one event of a type in `HANDLED`."""
        ms = (envelope.act_ns or envelope.wall_ns) // MS
        self._do("INSERT OR IGNORE INTO span VALUES ('first', ?)", [ms])
        self._do("INSERT OR REPLACE INTO span VALUES ('last', ?)", [ms])
        HANDLED[envelope.type](self, body, envelope, ms)

    # --- alarms ---------------------------------------------------------------

    def raised(self, body: Any, envelope: Envelope, ms: int) -> None:
        """Enter an alarm with its asset and the works that were going on."""
        device, quantity = self._asset(body)
        found = self._do("SELECT model FROM devices WHERE id = ?", [device]).fetchone()
        zone = body.zone_id or ""
        works = self._do(
            "SELECT DISTINCT kind FROM permits WHERE zone = ? AND running = 1", [zone]
        ).fetchall()
        self._do(
            "INSERT OR REPLACE INTO alarms (id, source, condition, kind, priority,"
            " zone, life_safety, mark, device, model, quantity, works, raised_ms, seq,"
            " synced, quiet, params) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
            " ?, ?, ?)",
            [
                *(body.alarm_id, body.source, body.condition, body.kind),
                *(body.priority, zone, body.life_safety, body.mark, device),
                *(found[0] if found else "", quantity),
                " ".join(sorted(row[0] for row in works)),
                *(ms, envelope.seq, envelope.sync, bool(body.suppressed)),
                msgspec.json.encode(body.params).decode(),
            ],
        )
        self._do("INSERT INTO activations VALUES (?, ?)", [ms, body.alarm_id])

    def _asset(self, body: Any) -> tuple[str, str]:
        """Return the device and the quantity behind an alarm's source."""
        kind, _, name = body.source.partition(":")
        if kind == "entity":
            row = self._do(
                "SELECT device, quantity FROM entities WHERE id = ?", [name]
            ).fetchone()
            return (row[0], row[1]) if row else ("", "")
        told = str(body.params.get("device", ""))
        return (name if kind == "device" else told), ""

    def repeated(self, body: Any, _: Envelope, ms: int) -> None:
        """Count one more activation."""
        self._do(
            "UPDATE alarms SET count = count + 1, returned_ms = 0 WHERE id = ?",
            [body.alarm_id],
        )
        self._do("INSERT INTO activations VALUES (?, ?)", [ms, body.alarm_id])

    def returned(self, body: Any, _: Envelope, ms: int) -> None:
        """Enter that the condition is gone."""
        self._set(body, "returned_ms", ms)

    def closed(self, body: Any, _: Envelope, ms: int) -> None:
        """Enter that the record is closed."""
        self._set(body, "closed_ms", ms)

    def acknowledged(self, body: Any, _: Envelope, ms: int) -> None:
        """Enter who saw it first, and when."""
        self._do(
            "UPDATE alarms SET acknowledged_ms = ?, acknowledged_by = ?"
            " WHERE id = ? AND acknowledged_ms = 0",
            [ms, body.person_id, body.alarm_id],
        )

    def judged(self, body: Any, _: Envelope, _ms: int) -> None:
        """Enter what it was worth."""
        self._set(body, "verdict", body.verdict)
        self._set(body, "judged_by", body.person_id)

    def classified(self, body: Any, _: Envelope, _ms: int) -> None:
        """Enter how an incident ended."""
        for column in ("outcome", "root", "note"):
            self._set(body, column, getattr(body, column))
        self._set(body, "classified_by", body.person_id)

    def put_by(self, body: Any, _: Envelope, ms: int) -> None:
        """Enter who shelved it, or took it out of service, and why."""
        if getattr(body, "out", True):
            self._do(
                "INSERT INTO shelves VALUES (?, ?, ?, ?)",
                [body.alarm_id, body.person_id, body.reason, ms],
            )

    def _set(self, body: Any, column: str, value: object) -> None:
        self._do(f"UPDATE alarms SET {column} = ? WHERE id = ?", [value, body.alarm_id])  # noqa: S608

    # --- what was done --------------------------------------------------------

    def _deed(self, ms: int, what: str, zone: str, ref: str, serves: str) -> None:
        row = self._do("SELECT alarm FROM runs WHERE id = ?", [serves]).fetchone()
        self._do(
            "INSERT INTO deeds VALUES (?, ?, ?, ?, ?)",
            [ms, what, zone, ref, row[0] if row else serves],
        )

    def held(self, body: Any, _: Envelope, ms: int) -> None:
        """Enter a hold in its permit's zone."""
        row = self._do(
            "SELECT zone FROM permits WHERE id = ?", [body.permit_id]
        ).fetchone()
        source = body.hold.source.removeprefix("alarm:").removeprefix("rule:")
        self._deed(ms, "hold", row[0] if row else "", body.permit_id, source)

    def evacuated(self, body: Any, envelope: Envelope, ms: int) -> None:
        """Enter an evacuation in each of its zones; a drill is none."""
        if not getattr(body, "mark", "") and not envelope.cause.drill:
            for zone in body.zones:
                ref = body.evacuation_id
                self._deed(ms, "evacuation", zone, ref, envelope.cause.parent)

    def commanded(self, body: Any, _: Envelope, ms: int) -> None:
        """Enter a command in its device's zone."""
        row = self._do(
            "SELECT zone FROM devices WHERE id = ?", [body.device_id]
        ).fetchone()
        self._deed(ms, "command", row[0] if row else "", body.entity_id, body.why)

    def ran(self, body: Any, _: Envelope, _ms: int) -> None:
        """Enter which alarm a rule's run serves."""
        alarm = str(body.params.get("alarm_id", ""))
        if alarm:
            self._do(
                "INSERT OR REPLACE INTO runs VALUES (?, ?, ?)",
                [body.run_id, alarm, body.rule],
            )

    # --- assets and works -----------------------------------------------------

    def enrolled(self, body: Any, _: Envelope, _ms: int) -> None:
        """Enter a device with what it measures."""
        maker = f"{body.device.manufacturer} {body.device.model}".strip()
        self._do(
            "INSERT OR REPLACE INTO devices VALUES (?, ?, ?)",
            [body.device_id, maker, body.zone_id or ""],
        )
        ids = {pair.uid: pair.entity_id for pair in body.entities}
        for entity in body.device.entities:
            self._do(
                "INSERT OR REPLACE INTO entities VALUES (?, ?, ?)",
                [ids[entity.uid], body.device_id, entity.quantity],
            )

    def zoned(self, body: Any, _: Envelope, _ms: int) -> None:
        """Enter a device's new zone."""
        self._do(
            "UPDATE devices SET zone = ? WHERE id = ?",
            [body.zone_id or "", body.device_id],
        )

    def announced(self, body: Any, envelope: Envelope, _ms: int) -> None:
        """Enter a permit: one that is issued at once runs at once."""
        self._do(
            "INSERT OR REPLACE INTO permits VALUES (?, ?, ?, ?)",
            [body.permit_id, body.kind, body.zone_id, envelope.type == "permit.issued"],
        )

    def running(self, body: Any, envelope: Envelope, _ms: int) -> None:
        """Enter that a permit's work began or is over."""
        self._do(
            "UPDATE permits SET running = ? WHERE id = ?",
            [envelope.type == "permit.started", body.permit_id],
        )


Handler = Callable[[Entries, Any, Envelope, int], None]
#: Event type → how it is entered.
HANDLED: dict[str, Handler] = {
    "alarm.raised": Entries.raised,
    "alarm.repeated": Entries.repeated,
    "alarm.returned": Entries.returned,
    "alarm.closed": Entries.closed,
    "alarm.acknowledged": Entries.acknowledged,
    "alarm.judged": Entries.judged,
    "alarm.shelved": Entries.put_by,
    "alarm.service": Entries.put_by,
    "incident.classified": Entries.classified,
    "permit.held": Entries.held,
    "evacuation.started": Entries.evacuated,
    "evacuation.extended": Entries.evacuated,
    "command.issued": Entries.commanded,
    "run.started": Entries.ran,
    "device.enrolled": Entries.enrolled,
    "device.zoned": Entries.zoned,
    "permit.booked": Entries.announced,
    "permit.issued": Entries.announced,
    "permit.started": Entries.running,
    **{f"permit.{end}": Entries.running for end in _ENDS},
}
