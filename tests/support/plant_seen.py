"""What the API shows when a rule of the law is broken, noted as it was said."""

import re
from pathlib import Path
from typing import Any

import msgspec

from core.permits import life_acts as a
from core.permits.acts import ReleasePermit
from tests.support.client import RefusedError
from tests.support.plant import Plant
from tests.support.site import RunningHub
from tests.support.waiting import pause


class Day(msgspec.Struct):
    """Keep what the day brought."""

    data: Path
    hub: RunningHub
    hot: str = ""
    confined: str = ""
    short: str = ""
    low: str = ""
    """The hot work that nobody had raised for the night."""
    ends: dict[str, dict[str, Any]] = {}
    """Permit → its last view."""
    seen: dict[str, str] = {}
    """Rule → what the API said when it was broken."""
    park: list[dict[str, Any]] = []
    """Every record as the park has it."""
    owed: int = 0
    """Records that the park refused."""


class Seen:
    """Take works to a step, and note why the hub stops them."""

    def __init__(self, plant: Plant, day: Day) -> None:
        self.plant, self.day = plant, day
        self._plates = "", ""
        """Two works on one pipe."""

    # --- what is seen ---------------------------------------------------------

    async def _held(self, permit_id: str, *rules: str) -> None:
        """Wait until a permit is held; its page names these rules."""
        await self.plant.becomes(permit_id, "held")
        shown = await self.plant.shown(permit_id)
        for rule in rules:
            # The law has some rules in parts: H4, H4b, H4c.
            assert re.search(rf"rule[. ]{rule}[b-d]?\b", shown), (rule, shown)
            self.day.seen[rule] = shown

    async def _denied(self, permit_id: str, rule: str) -> None:
        self.day.seen[rule] = await self.plant.denied(permit_id, rule)

    async def _not_released(self, permit_id: str, rule: str) -> None:
        """Ask for the release until it is refused for a rule."""
        act = ReleasePermit(permit_id=permit_id, reason="go on")
        await self._no(permit_id, act, "sam", rule)

    async def _not_started(self, permit_id: str, rule: str) -> None:
        """Ask for the start until it is refused for a rule."""
        await self._no(permit_id, a.StartPermit(permit_id=permit_id), "sue", rule)

    async def _no(self, permit_id: str, act: Any, person: str, rule: str) -> None:
        said = ""
        for _ in range(120):
            version = (await self.plant.view(permit_id))["version"]
            try:
                await self.plant.ok(person, act, version)
            except RefusedError as no:
                said = f"{no.code} {no.params}"
            else:
                raise AssertionError(f"{act.verb_} was allowed in spite of {rule}")
            if f"{rule}=" in said:
                self.day.seen[rule] = said
                return
            await pause(0.5)
        raise AssertionError(f"{rule} never refused: {said}")

    # --- steps ----------------------------------------------------------------

    async def _prepared(self, permit_id: str, kind: str, **facts: Any) -> None:
        """Take a booking to where only signatures are missing."""
        await self.plant.applied(permit_id, kind, **facts)
        await self.plant.analysed(permit_id, kind)
        await self.plant.briefed(permit_id)
        await self.plant.tested(permit_id, kind)

    async def _started(self, permit_id: str, kind: str) -> None:
        """Test and start; a test that grew old meanwhile is made again."""
        for _ in range(12):
            await self.plant.tested(permit_id, kind)
            act = a.StartPermit(permit_id=permit_id)
            if await self._tried("sue", permit_id, act):
                return
        raise AssertionError(f"{permit_id} was never started")

    async def _goes_on(self, permit_id: str, kind: str) -> None:
        """Test again and release; once more if the machine was too slow for it."""
        for _ in range(12):
            await self.plant.tested(permit_id, kind)
            act = ReleasePermit(permit_id=permit_id, reason="all is well again")
            if await self._tried("sam", permit_id, act):
                return
        raise AssertionError(f"{permit_id} was never released")

    async def _tried(self, person: str, permit_id: str, act: Any) -> bool:
        """Act on a permit's newest version as long as a test is fresh."""
        for _ in range(12):
            version = (await self.plant.view(permit_id))["version"]
            try:
                await self.plant.ok(person, act, version)
            except RefusedError:
                await pause(0.25)
            else:
                return True
        return False
