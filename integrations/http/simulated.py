"""A simulated system: keeps values by path and says them as the mapping expects."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.api.clock import Clock

NS = 1_000_000_000
Values = dict[str, Any]


class SimulatedSource:
    """Play one source: what its devices measure, and how its bodies look."""

    def __init__(self, said: Mapping[str, Any], clock: Clock, uid: str) -> None:
        self.said, self.uid, self.clock = said, uid, clock
        self.values: Values = {e["uid"]: _first(e) for e in said["entities"]}
        self.faults: Values = {}
        self.outputs = {each["uid"]: False for each in said["outputs"]}
        self._events: list[tuple[str, int]] = []
        self._number = 0
        self._frozen_ns = 0
        self._old: bytes | None = None

    def put(self, entity: str, value: Any) -> None:
        """Let an entity have a value; raises KeyError."""
        if entity in self.outputs:
            self.outputs[entity] = bool(value)
            return
        self.values[entity]  # an unknown one is told
        self.values[entity] = value

    def press(self, kind: str) -> None:
        """Let an event be told from the next body on; raises ValueError."""
        for said in self.said["events"]:
            for word, meant in said["kinds"].items():
                if meant == kind:
                    self._number += 1
                    self._events.append((word, self._number))
                    return
        raise ValueError(f"{self.uid} knows no event {kind!r}")

    def body(self) -> bytes:
        """Return what the system would say now, its faults included."""
        faults = self.faults
        if "replay" in faults and self._old is not None:
            return self._old
        made = self._made()
        if "replay" not in faults:
            self._old = made
        if "garbage" in faults:
            return b"<html>\xff\xfe not what you asked for"
        if "half" in faults:
            return made[: len(made) // 2]
        return made

    def _made(self) -> bytes:
        record: Values = {}
        for said in self.said["entities"]:
            _put(record, said["path"], self._word(said))
        if "device" in self.said:
            _put(record, self.said["device"], self.uid.partition(":")[2])
        if "time" in self.said:
            told = self.said["time"]
            _put(record, told["path"], self._time(told["format"]))
        for said in self.said["events"] if self._events else ():
            word, number = self._events[-1]
            _put(record, said["path"], word)
            _put(record, said["id"], number)
        if self.said["format"] == "csv":
            line = ",".join(str(value) for value in record.values())
            return f"{','.join(record)}\n{line}\n".encode()
        found: Any = (
            [record] if self.said["records"] or "device" in self.said else record
        )
        if self.said["records"]:
            outer: Values = {}
            _put(outer, self.said["records"], found)
            found = outer
        return json.dumps(found).encode()

    def _word(self, said: Mapping[str, Any]) -> Any:
        value = self.values[said["uid"]]
        if said["kind"] == "binary":
            words = said["on"] if value else said["off"]
            return words[0] if words else bool(value)
        if said["kind"] == "location" or said["text"]:
            return value
        return float(value) / said["scale"]

    def _time(self, layout: str) -> Any:
        now = self.clock.wall_ns()
        if "frozen" in self.faults:
            now = self._frozen_ns or now
        self._frozen_ns = now
        now += int(float(self.faults.get("clock_s", 0)) * NS)
        if layout == "iso":
            return datetime.fromtimestamp(now / NS, UTC).isoformat()
        return now / NS if layout == "s" else now // 1_000_000


def _first(said: Mapping[str, Any]) -> Any:
    if said["kind"] == "binary":
        return False
    return "1.0,1.0,0.0" if said["kind"] == "location" or said["text"] else 1.0


def _put(record: Values, path: str, value: Any) -> None:
    """Set what stands at a dotted path."""
    *outer, last = path.split(".")
    for part in outer:
        record = record.setdefault(part, {})
    record[last] = value
