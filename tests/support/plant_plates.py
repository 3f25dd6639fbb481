"""Side works at the plant: blind plates, and a permit that is signed too late."""

from typing import Literal

from core.api.reading import Value
from core.geometry.shapes import Area, Polygon
from core.permits import life_acts as a
from core.permits.isolation_acts import DefinePoint, PlanIsolation, PlanLine
from tests.support.plant import HOUR_MS
from tests.support.plant_seen import Seen

CONFINED, PLATE = "confined", "blind-plate"
_Action = Literal["", "insert", "remove"]
_TANK = ((2.0, 2.0), (6.0, 2.0), (6.0, 6.0), (2.0, 6.0))
_PLATE = {
    "action": "insert",
    "pipe": "line p-1",
    "pipe_medium": "steam",
    "pipe_temperature": 20.0,
    "pipe_pressure": 0.1,
    "plate_material": "20#",
    "plate_size": "DN100",
    "plate_number": "p-1",
    "drawing": "0" * 64,
}


class Plates(Seen):
    """Break what the law says of plates, and of their guardian."""

    async def _two_plates(self) -> None:
        """H11: one permit for a plate that goes in and one that comes out."""
        plant = self.plant
        for point in ("p-1", "p-2"):
            await self._point(point, f"line {point}")
        permit_id = await self._plate({"p-1": "insert", "p-2": "remove"}, "gil", "p-1")
        await self._denied(permit_id, "H11")
        act = a.RejectPermit(permit_id=permit_id, reason="two permits for two plates")
        await plant.ok("ivy", act)

    async def _point(self, point: str, pipe: str) -> None:
        made = DefinePoint(
            point_id=point,
            kind="blind_plate",
            equipment="tank 1",
            zone_id="tank",
            pipe=pipe,
        )
        await self.plant.ok("sue", made)

    async def _plate(self, plates: dict[str, _Action], guardian: str, pipe: str) -> str:
        """Take a permit for plates to where only signatures are missing."""
        plant = self.plant
        permit_id = await plant.booked(PLATE)
        crew = (("ann", "bob"), guardian)
        area = Area(level="ground", shape=Polygon(points=_TANK), line=pipe)
        await plant.applied(permit_id, PLATE, crew, fields=_PLATE, area=area)
        lines = tuple(PlanLine(point_id=p, action=do) for p, do in plates.items())
        await plant.ok("sue", PlanIsolation(permit_id=permit_id, lines=lines))
        await plant.analysed(permit_id, PLATE)
        stands: dict[str, Value] = {
            "pipe_depressurised": True,
            "plate_matches_drawing": True,
        }
        await plant.ok("sue", a.DeclareFacts(permit_id=permit_id, facts=stands))
        await plant.briefed(permit_id)
        return permit_id

    async def _plate_work(self) -> None:
        """H11: two works on one pipe at once; then the guardian of one is lost."""
        plant = self.plant
        for point in ("p-3", "p-4"):
            await self._point(point, "line p-3")
        # The forms tell of two pipes; the register knows better.
        first = await self._plate({"p-3": "insert"}, "gus", "p-3")
        await plant.signed(first)
        await plant.verified(first)
        act = a.StartPermit(permit_id=first)
        assert await self._tried("sue", first, act)
        # Nobody can tell from now on where he is; the law asks him, and then stops.
        plant.tell(dead=["tag-gus"])
        second = await self._plate({"p-4": "insert"}, "gil", "p-4")
        await plant.signed(second)
        await self._not_started(second, "H11b")
        self._plates = first, second

    async def _guardian_lost(self) -> None:
        """H2: whose guardian nobody can find is held, as if he had left."""
        first, _ = self._plates
        await self.plant.becomes(first, "held")
        shown = self.day.seen["H2?"] = await self.plant.shown(first)
        assert "interlock:rule.H2" in shown, shown
        self.plant.tell(dead=[])

    async def _plates_done(self) -> None:
        for permit_id in self._plates:
            act = a.WithdrawPermit(permit_id=permit_id, reason="another day")
            await self.plant.ok("sue", act)
            await self.plant.closed(permit_id)

    async def _late(self, hot: str, job: str) -> None:
        """H1, H10: another work of the job is not issued, and is signed too late."""
        plant, now = self.plant, await self.plant.now_ms()
        late = await plant.booked(CONFINED, job=job, from_ms=now - 3 * HOUR_MS)
        await plant.applied(late, CONFINED, linked=(hot,))
        await plant.analysed(late, CONFINED)
        await self._not_started(hot, "H1b")
        await self._denied(late, "H10b")
        act = a.RejectPermit(permit_id=late, reason="book it anew")
        await plant.ok("ivy", act)
