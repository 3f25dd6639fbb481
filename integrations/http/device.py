"""One device of a source: declared on its first record, judged by each."""

from collections.abc import Mapping
from typing import Any, Final

from core.api import (
    Device,
    Entity,
    EntityKind,
    Host,
    Output,
    OutputKind,
    Quality,
    Value,
)
from integrations.http import body
from integrations.http.body import BodyError, Record

NS: Final = 1_000_000_000
#: A measuring time may lie so far ahead: two machines' clocks differ.
FUTURE_NS: Final = 30 * NS
#: Intervals without a good record after which a device is lost.
MISSED: Final = 2.5
GOOD, UNCERTAIN = int(Quality.GOOD), int(Quality.UNCERTAIN)
FAULT, STALE = int(Quality.FAULT), int(Quality.STALE)


class HttpDevice:
    """Hold what one device's records said last."""

    def __init__(self, host: Host, said: Mapping[str, Any], uid: str) -> None:
        self.host, self.said, self.uid = host, said, uid
        self.every_s = float(said["every_s"])
        self.up, self.reason = True, ""
        self.heard_ns = host.clock.mono_ns()
        self.measured_ns = 0
        """Wall time of the newest record; 0 before the first."""
        self._handles: dict[str, int] = {}
        self.outputs = {each["uid"]: each for each in said["outputs"]}

    def declare(self) -> None:
        """Announce the device and its entities."""
        said = self.said
        entities = [self._entity(each) for each in said["entities"]]
        entities += [_output(each) for each in said["outputs"]]
        key = self.uid.partition(":")[2]
        name = said.get("name", said["id"])
        self.host.declare(
            Device(
                uid=self.uid,
                name=f"{name} {key}" if key else name,
                model=said["id"],
                suggested_zone=said.get("zone"),
                entities=tuple(entities),
            )
        )
        for entity in entities:
            self._handles[entity.uid] = self.host.handle(self.uid, entity.uid)

    def _entity(self, said: Mapping[str, Any]) -> Entity:
        high = said["range"][1] if "range" in said else None
        return Entity(
            uid=said["uid"],
            name=said.get("name", said["uid"]),
            kind=EntityKind(said["kind"]),
            quantity=said["quantity"],
            unit=said["unit"],
            max_age_s=3 * self.every_s,
            critical=said["critical"],
            full_scale=high,
        )

    def take(self, record: Record) -> bool:
        """Report a record; False when it is an old one that came again."""
        now = self.host.clock.wall_ns()
        try:
            measured = self._measured(record)
        except BodyError as wrong:
            self.host.count("http.time", str(wrong), self.uid)
            self._report(record, FAULT, "http.time")
            return True
        if measured and measured > now + FUTURE_NS:
            # It does not move the newest: its clock may be right again at once.
            self.host.count("http.future", str(measured), self.uid)
            self._alive()
            self._report(record, UNCERTAIN, "http.future")
            return True
        if measured and measured <= self.measured_ns:
            if measured < self.measured_ns:
                self.host.count("http.replayed", str(measured), self.uid)
            return False
        self.measured_ns = measured
        old = measured and now - measured > 3 * self.every_s * NS
        if old:
            self._report(record, STALE, "http.old")
            return True
        self._alive()
        # Without its time a record may be of yesterday, however often it comes.
        if measured:
            self._report(record, GOOD, "")
        else:
            self._report(record, UNCERTAIN, "http.undated")
        return True

    def _measured(self, record: Record) -> int:
        told = self.said.get("time")
        if told is None:
            return 0
        return body.moment(body.at(record, told["path"]), told["format"])

    def _alive(self) -> None:
        self.heard_ns = self.host.clock.mono_ns()
        if not self.up:
            self.up, self.reason = True, ""
            self.host.link_state(self.uid, True)

    def _report(self, record: Record, worst: int, why: str) -> None:
        for said in self.said["entities"]:
            handle = self._handles[said["uid"]]
            try:
                value = _value(said, body.at(record, said["path"]))
            except BodyError as wrong:
                self.host.count("http.field", f"{said['uid']}: {wrong}", self.uid)
                self.host.report(handle, None, FAULT, "http.field")
                continue
            low, high = said.get("range", (None, None))
            if low is not None and not low <= float(value) <= high:  # type: ignore[arg-type]
                self.host.report(handle, value, max(worst, UNCERTAIN), "http.range")
            else:
                self.host.report(handle, value, worst, why)

    def stand(self, uid: str, on: bool | None) -> None:
        """Report how an output stands by its own word; None: nobody knows."""
        handle = self._handles[uid]
        if on is None:
            self.host.report(handle, None, FAULT, "http.unconfirmed")
        else:
            self.host.report(handle, on)

    def look(self, now_ns: int) -> None:
        """Lose the device once it has been silent for too long."""
        if now_ns - self.heard_ns > MISSED * self.every_s * NS:
            self.lose("http.silent")

    def lose(self, reason: str) -> None:
        """Tell that the device is gone, once for each reason."""
        if self.up or self.reason != reason:
            self.up, self.reason = False, reason
            self.host.link_state(self.uid, False, reason)


def _value(said: Mapping[str, Any], raw: Any) -> Value:
    kind = said["kind"]
    if kind == EntityKind.BINARY:
        return body.switch(raw, said["on"], said["off"])
    if kind == EntityKind.LOCATION or said["text"]:
        return body.words(raw)
    return body.number(raw, said["scale"])


def _output(said: Mapping[str, Any]) -> Entity:
    return Entity(
        uid=said["uid"],
        name=said.get("name", said["uid"]),
        kind=EntityKind.OUTPUT,
        max_age_s=600.0,
        output=Output(
            kind=OutputKind(said["kind"]),
            ex_rated=said["ex_rated"],
            contact_zone=said.get("contact_zone"),
            outside_air=said["outside_air"],
            fail_safe=said["fail_safe"],
            read_back="confirm" in said,
        ),
    )
