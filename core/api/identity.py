"""Lasting identities of devices: how they are written, and whom they name (R27).

A key is ``namespace:value``: ``mac:a8032abe54dc``, ``serial:…``, ``uuid:…``. An
address is none, for it changes.
"""

import re
from collections.abc import Iterable, Mapping

_MAC = re.compile(r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}")
_BARE = re.compile(r"(?<![0-9a-z])[0-9a-f]{12}(?![0-9a-z])")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SIGNS = re.compile(r"[^0-9a-z]+")
#: A shorter number may be anybody's.
MIN_SERIAL = 6
MAX_KEY = 160
#: So many signs of an identity within a name are no accident.
_WHOLE = 8
#: Under these names makers tell who a device is.
_MAC_NAMES = ("mac", "macaddress", "mac_address", "hwaddr", "bssid")
_SERIAL_NAMES = ("serial", "serialnumber", "serial_number", "sn", "serialno")
_UUID_NAMES = ("uuid", "udn", "deviceuuid")
_ANY_NAMES = ("id", "deviceid", "device_id")


def mac_of(text: str) -> str:
    """Return a hardware address as 12 small hexadecimal digits; '' when it is none."""
    plain = text.strip().lower()
    if not (_MAC.fullmatch(plain) or _BARE.fullmatch(plain)):
        return ""
    digits = _SIGNS.sub("", plain)
    return "" if digits in ("0" * 12, "f" * 12) else digits


def mac_in(text: str) -> str:
    """Return the hardware address that a name ends or begins with; '' for none."""
    low = text.lower()
    found = _MAC.search(low) or _BARE.search(low)
    digits = mac_of(found.group()) if found else ""
    # A number of twelve digits in a name is more likely a serial one.
    return "" if digits.isdecimal() and found and len(found.group()) == 12 else digits


def uuid_in(text: str) -> str:
    """Return the UUID within a text; '' for none."""
    found = _UUID.search(text.lower())
    return found.group() if found and found.group().strip("0-") else ""


def key(namespace: str, value: str) -> str:
    """Return a key of bounded length; '' for an empty value."""
    return f"{namespace}:{value}"[:MAX_KEY] if value else ""


def serial_key(text: str) -> str:
    """Return the key of a serial number; '' when it is too short to name anything."""
    plain = _SIGNS.sub("", text.lower())
    good = len(plain) >= MIN_SERIAL and len(set(plain)) > 2
    return key("serial", plain) if good else ""


def keys_in(facts: Mapping[str, str], *names: str) -> tuple[str, ...]:
    """Return the keys that a device tells in its facts and names, best first."""
    low = {name.lower(): value for name, value in facts.items()}
    found: list[str] = []
    for name in (*_MAC_NAMES, *_ANY_NAMES):
        value = low.get(name, "")
        found.append(key("mac", mac_of(value) or mac_in(value)))
    found += [key("mac", mac_in(name)) for name in names]
    found += [serial_key(low.get(name, "")) for name in _SERIAL_NAMES]
    for name in (*_UUID_NAMES, *_ANY_NAMES):
        found.append(key("uuid", uuid_in(low.get(name, ""))))
    return tuple(dict.fromkeys(each for each in found if each))


class Called:
    """Hold what known devices are called, and tell whether a key names one of them.

    ``names``: uids, serial numbers and the like, however they are written.
    """

    def __init__(self, names: Iterable[str]) -> None:
        plain = {_SIGNS.sub("", name.lower()) for name in names} - {""}
        self._names, self._all = plain, "\n".join(plain)

    def __contains__(self, key_: object) -> bool:
        value = _SIGNS.sub("", str(key_).partition(":")[2].lower())
        if not value:
            return False
        # A whole identity within a longer name, as in shelly-a8032abe54dc.
        return value in self._names or (len(value) >= _WHOLE and value in self._all)
