"""What the site has already: enrolled devices, places that integrations hold."""

import contextlib
import ipaddress
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from core.api.identity import Called
from core.config import Bundle, IntegrationConfig
from core.link.findings import Finding
from core.registry.state import RegistryState

#: Returns the keys of the devices that an integration's options name.
Covers = Callable[[Mapping[str, object]], Iterable[str]]
_DEPTH, _NAME = 8, 160
#: Namespaces of keys that are names, which people give.
_NAMES = ("mdns", "mqtt")
_PLACE = re.compile(r"[^\s/:]{1,200}:\d{1,5}")


def texts_in(value: object, depth: int = 0) -> Iterator[str]:
    """Yield every text within plain data."""
    if isinstance(value, str):
        yield value
    elif depth < _DEPTH and isinstance(value, Mapping):
        for each in value.values():
            yield from texts_in(each, depth + 1)
    elif depth < _DEPTH and isinstance(value, list | tuple):
        for each in value:
            yield from texts_in(each, depth + 1)


def host_in(text: str) -> str:
    """Return the host that an option names: an address, host:port, or a URL."""
    if len(text) > 300:
        return ""
    if "://" in text:
        try:
            return (urlsplit(text).hostname or "").lower()
        except ValueError:
            return ""
    head, colon, port = text.rpartition(":")
    host = head if colon and port.isdecimal() else text
    for each in (text, host):
        with contextlib.suppress(ValueError):
            return str(ipaddress.ip_address(each.strip("[]")))
    plain = host.replace("-", "").replace(".", "")
    dotted = "." in host and plain.isalnum() and not host.startswith("/")
    return host.lower() if dotted else ""


def ports_held(bundle: Bundle) -> dict[str, str]:
    """Return the real paths of serial ports → the integration that holds each."""
    held: dict[str, str] = {}
    for each in bundle.integrations:
        for text in texts_in(each.options):
            if text.startswith("/dev/") or (text.startswith("/") and _port(text)):
                held[os.path.realpath(text)] = each.id
    return held


def _port(path: str) -> bool:
    """Say whether a path is a terminal's, wherever it is linked from."""
    return os.path.realpath(path).startswith("/dev/")


class Known:
    """Say whether a finding is a device that the site has.

    ``covers``: integration → what its options name, for those whose devices have
    no identity of their own.
    """

    def __init__(self) -> None:
        self._hosts: dict[str, set[str]] = {}
        self._keys: set[str] = set()
        self._ignored: set[str] = set()
        self._named = self._enrolled = Called(())
        self.held: dict[str, str] = {}
        self.places: dict[str, str] = {}
        """Each host:port that an integration's options name → its id."""
        self.covers: dict[str, Covers] = {}

    def take(self, registry: RegistryState, bundle: Bundle) -> None:
        """Take the site's state; cheap enough for every change of it."""
        self._hosts, self._keys, self.places = {}, set(), {}
        names = {text for each in bundle.integrations for text in self._options(each)}
        enrolled = [n for d in registry.devices.values() for n in (d.uid, d.serial)]
        self._named, self._enrolled = Called(names), Called(enrolled)
        self._ignored = {
            key for each in registry.ignored.values() for key in (each.key, *each.keys)
        }
        self.held = ports_held(bundle)

    def _options(self, each: IntegrationConfig) -> list[str]:
        """Take what an integration's options name; returns their short texts."""
        texts = list(texts_in(each.options))
        hosts = self._hosts.setdefault(each.integration, set())
        hosts.update(host for host in map(host_in, texts) if host)
        self.places |= {text: each.id for text in texts if _PLACE.fullmatch(text)}
        covers = self.covers.get(each.integration)
        if covers is not None:
            self._keys.update(covers(each.options))
        return [text for text in texts if len(text) <= _NAME]

    def held_by(self, device: str) -> str:
        """Return the integration that holds a serial port, however it is named."""
        return self.held.get(os.path.realpath(device), "")

    def covered(self, found: Finding) -> bool:
        """Say whether a finding is enrolled, or an integration has it already."""
        if not self._keys.isdisjoint(found.keys):
            return True
        if found.kind in ("modbus_tcp", "modbus_serial"):
            return False
        if found.kind == "mqtt" and found.integration in self._hosts:
            return True  # it declares its system's devices itself
        device = found.facts.get("device", "")
        if found.kind == "usb" and self.held_by(device):
            return True
        for integration in (found.integration, *found.also):
            if found.address and found.address in self._hosts.get(integration, ()):
                return True
        return any(self._has(key) for key in found.keys)

    def _has(self, key: str) -> bool:
        """Say whether a key is an enrolled device's, or stands in an option."""
        namespace = key.partition(":")[0]
        if namespace == "place":
            return False
        # A host's name may well be a word of some option that means another thing.
        lasting = namespace not in _NAMES and key in self._named
        return lasting or key in self._enrolled

    def ignored(self, found: Finding) -> bool:
        """Say whether a person took the finding from the list."""
        return not self._ignored.isdisjoint((found.key, *found.keys))
