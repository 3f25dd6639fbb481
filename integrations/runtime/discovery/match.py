"""The manifests' tables of signs, asked by every listener."""

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

from core.api.manifest import Discovery, Manifest, Mdns, Usb
from core.link.findings import Sign
from integrations.runtime.discovery.sighting import Match

#: How sure a sign makes us; a device is proposed for the surest.
_ASKED, _NAMED, _TOLD, _TOPIC, _GUESS, _MAKER = 100, 90, 80, 70, 60, 10
_USB, _USB_FIELD = 20, 15
_BASE_UUID = "-0000-1000-8000-00805f9b34fb"
_SHORT = re.compile(r"(?:0x)?([0-9a-f]{4})")


def _like(pattern: str, text: str) -> bool:
    return fnmatchcase(text.lower(), pattern.lower())


def long_uuid(text: str) -> str:
    """Return a Bluetooth UUID in its long form."""
    low = text.strip().lower()
    short = _SHORT.fullmatch(low)
    return f"0000{short.group(1)}{_BASE_UUID}" if short else low


class Signs:
    """Say which integrations a sign speaks for, and why."""

    def __init__(self, manifests: Iterable[Manifest]) -> None:
        self._tables: list[tuple[str, Discovery]] = [
            (each.id, each.discovery) for each in manifests
        ]

    # --- what is to be listened for -----------------------------------------------

    def services(self) -> tuple[str, ...]:
        """Return the mDNS service types that any integration knows."""
        return _sorted(_service(e) for _, table in self._tables for e in table.mdns)

    def topics(self, but: str = "") -> tuple[str, ...]:
        """Return the MQTT topic filters that any integration but one knows."""
        tables = (table for name, table in self._tables if name != but)
        return _sorted(topic for table in tables for topic in table.mqtt)

    def wsd_types(self) -> tuple[str, ...]:
        """Return the WS-Discovery types, scopes left out, that any one knows."""
        found = (sign for _, table in self._tables for sign in table.wsd)
        return _sorted(sign for sign in found if "//" not in sign)

    def asks(self, kind: str) -> bool:
        """Say whether any integration has signs of a kind."""
        return any(getattr(table, kind) for _, table in self._tables)

    # --- what a sign says ---------------------------------------------------------

    def mdns(self, service: str, name: str, txt: dict[str, str]) -> tuple[Match, ...]:
        """Match an announced service."""
        low = {key.lower(): value for key, value in txt.items()}

        def fits(entry: str | Mdns) -> int:
            if _service(entry).lower() != service.lower():
                return 0
            if isinstance(entry, str):
                return _TOLD
            told = all(
                _like(value, low.get(key.lower(), ""))
                for key, value in entry.txt.items()
            )
            return _NAMED if told and _like(entry.name or "*", name) else 0

        sign = Sign("discovery.why.mdns", {"service": service})
        return self._each(lambda table: max(map(fits, table.mdns), default=0), sign)

    def wsd(self, types: Iterable[str], scopes: Iterable[str]) -> tuple[Match, ...]:
        """Match the types (without their namespace) and scopes of WS-Discovery."""
        said = [*types, *scopes]

        def first(table: Discovery) -> str:
            pairs = ((sign, each) for sign in table.wsd for each in said)
            return next((each for sign, each in pairs if _like(sign, each)), "")

        return self._first(first, _TOLD, "discovery.why.wsd", "sign")

    def ssdp(self, kind: str, server: str) -> tuple[Match, ...]:
        """Match an SSDP type, or a part of the server's name."""

        def first(table: Discovery) -> str:
            for sign in table.ssdp:
                part = sign.removeprefix("server:")
                if part == sign and _like(sign, kind):
                    return kind
                if part != sign and part.lower() in server.lower():
                    return server
            return ""

        return self._first(first, _GUESS, "discovery.why.ssdp", "sign")

    def ble(self, services: Iterable[str], makers: Iterable[int]) -> tuple[Match, ...]:
        """Match an advertisement's services and its makers' numbers."""
        uuids = {long_uuid(each) for each in services}
        numbers = {f"{each:04x}" for each in makers}

        def first(table: Discovery) -> str:
            for sign in table.ble:
                maker = sign.lower().removeprefix("manufacturer:")
                short = _SHORT.fullmatch(maker)
                if short and short.group(1) in numbers:
                    return sign
                if maker == sign.lower() and long_uuid(sign) in uuids:
                    return sign
            return ""

        return self._first(first, _TOLD, "discovery.why.ble", "sign")

    def mqtt(self, topic: str) -> tuple[Match, ...]:
        """Match a topic."""
        return self._first(
            lambda table: topic if any(fits(f, topic) for f in table.mqtt) else "",
            _TOPIC,
            "discovery.why.mqtt",
            "topic",
        )

    def usb(self, facts: dict[str, str]) -> tuple[Match, ...]:
        """Match a thing on the USB bus: interface, vid, pid, description, device."""

        def score(entry: Usb) -> int:
            given = [entry.interface, entry.vid, entry.pid, entry.description]
            names = ("interface", "vid", "pid", "description")
            for wanted, name in zip(given, names, strict=True):
                value = facts.get(name, "").lower()
                if wanted and name == "description" and wanted.lower() not in value:
                    return 0
                if wanted and name != "description" and wanted.lower() != value:
                    return 0
            return _USB + _USB_FIELD * sum(map(bool, given[1:])) if any(given) else 0

        params = {
            "sign": facts.get("description", "") or facts.get("interface", ""),
            "port": facts.get("device", ""),
        }
        sign = Sign("discovery.why.usb", params)
        return self._each(lambda table: max(map(score, table.usb), default=0), sign)

    def dhcp(self, mac: str) -> tuple[Match, ...]:
        """Match the beginning of a hardware address of 12 digits."""

        def score(table: Discovery) -> int:
            starts = (
                each.lower().replace(":", "").replace("-", "") for each in table.dhcp
            )
            return _MAKER if any(s and mac.startswith(s) for s in starts) else 0

        shown = ":".join(mac[at : at + 2] for at in range(0, 12, 2))
        return self._each(score, Sign("discovery.why.dhcp", {"mac": shown}))

    def asked(self, kind: str, sign: Sign, only: str = "") -> tuple[Match, ...]:
        """Return the integrations that a scan of a kind speaks for."""
        found = self._each(lambda t: _ASKED if getattr(t, kind) else 0, sign)
        return tuple(m for m in found if not only or m.integration == only)

    def _each(self, score: Callable[[Discovery], int], sign: Sign) -> tuple[Match, ...]:
        scored = ((name, score(table)) for name, table in self._tables)
        return tuple(Match(name, found, sign) for name, found in scored if found)

    def _first(
        self, find: Callable[[Discovery], str], score: int, code: str, param: str
    ) -> tuple[Match, ...]:
        found = ((name, find(table)) for name, table in self._tables)
        return tuple(
            Match(name, score, Sign(code, {param: said[:120]}))
            for name, said in found
            if said
        )


def _service(entry: str | Mdns) -> str:
    return entry if isinstance(entry, str) else entry.service


def _sorted(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(found)))


def fits(topic_filter: str, topic: str) -> bool:
    """Say whether a topic is within a filter; ``$`` topics never are by wildcard."""
    wanted, given = topic_filter.split("/"), topic.split("/")
    if given[0].startswith("$") and wanted[0] in ("+", "#"):
        return False
    for at, level in enumerate(wanted):
        if level == "#":
            return True
        if at >= len(given) or level not in ("+", given[at]):
            return False
    return len(wanted) == len(given)
