"""A technician who sets the site up through the API: integrations, then each device.

What they know is what the site's files would say: the notes on the devices and places.
"""

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import Any

from demo.crew import Crew

_WAIT_S, _POLL_S = 60.0, 0.2
_SPAN = re.compile(r"^([\d.]+)\s*(ms|s|min|h|d)?$")
_SCALE = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
Note = dict[str, Any]


class NotEnrolledError(Exception):
    """The site could not be set up; says which step of which part failed."""


class Technician:
    """Set integrations up and enrol devices as one person."""

    def __init__(self, crew: Crew, person: str, tell: Callable[[str], None]) -> None:
        self._crew, self._person, self._tell = crew, person, tell

    async def set_up(self, note: Note, pause_s: float = 0.0) -> None:
        """Go through an integration's flow: fill in, try, finish."""
        asked = {"integration": note["integration"], "instance": note["id"]}
        finding = await self.find(note)
        if finding:
            asked["finding"] = finding
        begun = await self._post("/api/v1/setup", asked)
        flow = begun
        for step in begun["steps"]:
            known = flow["form"].get("properties", {})
            values = {k: v for k, v in note["options"].items() if k in known}
            flow = await self._post(
                f"/api/v1/setup/{begun['id']}/step",
                {"step": step["id"], "values": {**flow["values"], **values}},
            )
            self._good(note, flow)
            await asyncio.sleep(pause_s)
        flow = await self._post(f"/api/v1/setup/{begun['id']}/test", {})
        self._good(note, flow)
        flow = await self._post(f"/api/v1/setup/{begun['id']}/finish", {})
        self._good(note, flow)
        if flow["state"] != "armed":
            raise NotEnrolledError(f"{note['id']}: {flow['state']}: {flow['refused']}")
        self._tell(f"  ✓ 集成 integration {note['id']}")

    async def find(self, note: Note) -> dict[str, str]:
        """Let the hub look where the technician says; return the facts of a finding.

        Only a Modbus address that they know is looked at: what announces itself is
        found without being looked for.
        """
        for bus in note["options"].get("buses", ()):
            host, _, port = bus.get("tcp", "").rpartition(":")
            if host:
                units = sorted(each["unit"] for each in bus["devices"])
                body = {"kind": "modbus_tcp", "target": host, "port": int(port)}
                body["units"] = [units[0], units[-1]]
                await self._crew.act(self._person, "discovery.scan", body)
                return await self._found(f"{host}:{port}")
        return {}

    async def _found(self, place: str) -> dict[str, str]:
        try:
            async with asyncio.timeout(_WAIT_S):
                while True:
                    seen = await self._crew.call(
                        self._person, "GET", "/api/v1/discovery"
                    )
                    for item in seen["items"]:
                        if f"{item['address']}:{item['port']}" == place:
                            self._tell(f"  ✓ 发现 found {item['name']} ({place})")
                            return _facts_of(item)
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise NotEnrolledError(f"nothing was found at {place}") from None

    async def enrol(self, notes: Iterable[Note], pause_s: float = 0.0) -> None:
        """Wait for every device of the notes to be found, and enrol it with a proof."""
        wanted = {(note["integration"], note["uid"]): note for note in notes}
        try:
            async with asyncio.timeout(_WAIT_S):
                while wanted:
                    found = await self._crew.call(
                        self._person, "GET", "/api/v1/waiting-devices"
                    )
                    for row in found["items"]:
                        note = wanted.pop((row["integration"], row["uid"]), None)
                        if note is not None:
                            await self._enrol(note, row)
                            await asyncio.sleep(pause_s)
                    if wanted:
                        await asyncio.sleep(_POLL_S)
        except TimeoutError:
            missing = ", ".join(uid for _, uid in wanted)
            raise NotEnrolledError(f"never found: {missing}") from None

    async def _enrol(self, note: Note, row: dict[str, Any]) -> None:
        body: dict[str, Any] = {
            "integration": note["integration"],
            "uid": note["uid"],
            "facts": facts(note),
            "possession": proof(row),
        }
        for key, field in (("zone", "zone_id"), ("person", "person_id")):
            if key in note:
                body[field] = note[key]
        if "name" in note:
            body["name"] = note["name"]
        await self._crew.act(self._person, "device.enrol", body)
        self._tell(f"  ✓ 设备 device {note['uid']}")

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return await self._crew.call(self._person, "POST", path, body)

    def _good(self, note: Note, flow: dict[str, Any]) -> None:
        for wrong in flow["errors"]:
            where = ".".join(str(each) for each in wrong["path"])
            raise NotEnrolledError(f"{note['id']}: {where}: {wrong['text']['en']}")


def _facts_of(item: dict[str, Any]) -> dict[str, str]:
    """Return a finding's facts, as a flow begins with them."""
    facts = {str(key): str(value) for key, value in item["facts"].items()}
    for name in ("address", "port", "name"):
        facts[name] = str(item[name])
    return {**facts, "key": item["id"]}


def proof(row: dict[str, Any]) -> dict[str, str]:
    """Return how the technician shows that a device is theirs."""
    if "wired" in row["proof"] and row["places"]:
        return {"kind": "wired", "detail": row["places"][0]}
    return {"kind": "code", "detail": row["uid"]}


def facts(note: Note) -> dict[str, Any]:
    """Return a note's facts as an enrolment states them."""
    found: dict[str, Any] = {}
    if "critical" in note:
        found["critical"] = note["critical"]
    for key, field, each in (
        ("max_age", "max_age_s", 1.0),
        ("lost", "lost_s", 1.0),
        ("bump_every", "bump_every_h", 3600.0),
    ):
        if key in note:
            found[field] = _seconds(note[key]) / each
    if "outputs" in note:
        found["outputs"] = note["outputs"]
    return found


def _seconds(text: Any) -> float:
    match = _SPAN.match(str(text))
    if match is None:
        raise NotEnrolledError(f"{text!r} is no duration")
    return float(match[1]) * _SCALE[match[2] or "s"]
