"""What GB/T 28181 devices tell of themselves, as helmets of the hub."""

from collections.abc import Mapping
from typing import Any, Final

from core.api import Host, Quality, Value
from integrations.helmet import words
from integrations.helmet.manscdp import Notice
from integrations.helmet.worn import Stamp, Worn, device

#: Helmets behind all peers together.
MAX_HELMETS: Final = 1_000
#: AlarmMethod, or AlarmMethod/AlarmType → the event; '' is none of a person's.
#: What a worn device alarms of is its wearer's call, unless it is known better.
CALLS: Final = {"*": "sos", "6": ""}


class Notices:
    """Keep a helmet for each device number; declare it, report it, call for it."""

    def __init__(self, host: Host, options: Mapping[str, Any]) -> None:
        self._host, self._options = host, options
        self._kinds: Mapping[str, str] = {**CALLS, **options["alarms"]}
        self.helmets: dict[str, Worn] = {}
        for each in options["devices"]:
            if not each.get("platform") and (helmet := self._helmet(each["id"])):
                helmet.declare()

    def _helmet(self, number: str) -> Worn | None:
        found = self.helmets.get(number)
        if found is not None:
            return found
        if len(self.helmets) >= MAX_HELMETS:
            self._host.count("helmet.too_many", number)
            return None
        listed = (d for d in self._options["devices"] if d["id"] == number)
        name = next((d.get("name") for d in listed), "") or f"Helmet {number[-4:]}"
        interval = max(self._options["position_s"], self._options["heartbeat_s"])
        kinds = dict.fromkeys(("sos", *filter(None, self._kinds.values())))
        entities = (
            words.location(self._options["datum"], 3 * interval),
            *map(words.event, kinds),
        )
        made = device(f"gb28181-{number}", name, number, entities)
        helmet = self.helmets[number] = Worn(self._host, made, interval)
        return helmet

    def heard(self, number: str) -> None:
        """Say that a helmet is here."""
        if helmet := self._helmet(number):
            helmet.heard()

    def lost(self, number: str, code: str) -> None:
        """Say that a helmet is gone."""
        if number in self.helmets:
            self.helmets[number].lost(code)

    def refused(self, number: str) -> None:
        """Say that somebody gave a wrong password for a helmet that is listed."""
        if helmet := self._helmet(number):
            helmet.lost("helmet.auth")

    def located(self, number: str, notice: Notice) -> None:
        """Take a position."""
        helmet = self._helmet(number)
        if helmet is None:
            return
        helmet.heard()
        place = notice.place
        value: tuple[Value, str] = None, "helmet.no_fix"
        if place is not None:
            value = f"{place[0]:.7f},{place[1]:.7f}", ""
        serial = int(notice.serial) if notice.serial.isdecimal() else 0
        helmet.report(Stamp(notice.at, serial & 0xFFFF), {"location": value})

    def status(self, number: str, notice: Notice) -> None:
        """Take a device's word that it is there, or that its camera is not."""
        if notice.fields.get("Online", "ONLINE").upper() == "OFFLINE":
            self.lost(number, "helmet.offline")
        else:
            self.heard(number)

    async def alarm(self, number: str, notice: Notice) -> None:
        """Hand an alarm over; returns when it is durable; DeviceError when full."""
        helmet = self._helmet(number)
        if helmet is None:
            return
        helmet.heard()
        method = notice.fields.get("AlarmMethod", "")
        kind = self._kind(method, notice.fields.get("AlarmType", ""))
        if not kind:
            self._host.count("helmet.device_fault", method, helmet.uid)
            return
        params: dict[str, Value] = {
            "method": method,
            "priority": notice.fields.get("AlarmPriority", ""),
        }
        if (place := notice.place) is not None:
            params["lat"], params["lon"] = place
            helmet.tell(
                "location",
                f"{place[0]:.7f},{place[1]:.7f}",
                Quality.UNCERTAIN,
                "helmet.with_alarm",
            )
        mark = f"{notice.serial}-{notice.at}"
        helmet.counters["calls"] += 1
        await helmet.durable(kind, f"{helmet.uid}#{kind}#{mark}", params)

    def _kind(self, method: str, type_: str) -> str:
        for key in (f"{method}/{type_}", method):
            if key in self._kinds:
                return self._kinds[key]
        return self._kinds["*"]

    def diagnostics(self) -> dict[str, Any]:
        """Return what each helmet did."""
        return {
            "helmets": [
                {"uid": f"…{number[-6:]}", "up": helmet.up, **helmet.counters}
                for number, helmet in list(self.helmets.items())[:200]
            ]
        }

    async def close(self) -> None:
        """End what waits."""
        for helmet in self.helmets.values():
            await helmet.close()
