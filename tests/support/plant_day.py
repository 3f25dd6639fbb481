"""The day of `tests.support.plant`: two permits, and every hard rule broken on it.

Each breach is noted as the public API showed it: a refusal, or a held permit's page.
"""

from core.people.acts import WithdrawCard
from core.permits import life_acts as a
from core.permits.acts import ReleasePermit
from core.permits.entries_acts import LogIn, LogOut, OpenEntryLog
from core.response.acts import AccountPerson, ClearEvacuation
from frontend_api.exchange import aq
from frontend_api.exchange.simulator import Park
from tests.support.plant_plates import CONFINED, Plates
from tests.support.waiting import pause, until

HOT = "hot-special"
CALM_GAS = {"h2s": 0.0, "lel": 0.0, "o2": 20.9}
#: Longer than the break after which the overlay asks for another test.
BREAK_MS = 33_000
#: Time from the start of work to midnight: a start on a busy machine needs its share.
_EVENING_S, _LATEST_MS = 120.0, 50_000


class Shift(Plates):
    """Live the day at a plant, and note what it says."""

    async def live(self, park: Park) -> None:
        """Live the whole of it."""
        plant, day = self.plant, self.day
        await plant.publish()
        await plant.enter()
        await plant.known()
        await plant.papers()
        day.hot = await self._refused()
        await self._midnight()
        await self._hot_work(day.hot)
        # A work that was broken off takes its place until somebody closes it.
        await plant.closed(day.low)
        await plant.move(ann="tank", bob="tank")
        await self._plate_work()
        day.confined = await self._confined_space()
        await self._overdue()
        await self._reported(park)
        for permit_id in (day.hot, day.confined, day.short, day.low):
            day.ends[permit_id] = await plant.view(permit_id)

    # --- before the start -----------------------------------------------------

    async def _refused(self) -> str:
        """Break before the start what may be broken there; return the hot permit."""
        plant, seen = self.plant, self.day.seen
        await self._two_plates()
        other = await plant.booked(CONFINED, job="j-1")
        await plant.applied(other, CONFINED)
        hot = await plant.booked(HOT, job="j-1")
        await plant.applied(hot, HOT, (("ann",), "gil"))
        await plant.analysed(hot, HOT)
        no = await plant.stopped(hot)  # nobody linked, tested, briefed
        seen |= dict.fromkeys(("H1", "H5", "H12b"), f"{no.code} {no.params}")
        await plant.ok("ivy", a.RejectPermit(permit_id=other, reason="another day"))
        await plant.briefed(hot)
        await plant.tested(hot, HOT)
        await plant.move(eve="gate")
        await self._denied(hot, "H3")
        await plant.move(eve="yard")
        low = await plant.booked("hot-2")
        await self._prepared(low, "hot-2", fire_area="other")
        await self._denied(low, "raise.40")  # a holiday, and nobody raised the grade
        await plant.ok("ivy", a.RejectPermit(permit_id=low, reason="not today"))
        return hot

    # --- midnight -------------------------------------------------------------

    async def _midnight(self) -> None:
        """Work into the night: H7 for the special work, H13 for what is not raised.

        The site's zone may not change under work, so midnight is set for the moment
        when all is signed, and set again if the machine was too slow for it.
        """
        plant, hot = self.plant, self.day.hot
        plant.day.holiday = False
        await plant.publish()
        await plant.signed(hot)
        await self._late(hot, "j-1")
        await plant.move(bob="yard")
        low = self.day.low = await plant.booked("hot-1")
        crew = (("bob",), "gus")
        await self._prepared(low, "hot-1", crew=crew, fire_area="fire_explosion")
        await plant.signed(low)
        await self._not_started(hot, "H5c")
        for _ in range(6):
            now = await plant.now_ms()
            midnight = plant.day.midnight_in(_EVENING_S, now)
            await plant.publish()
            await plant.verified(hot)
            await plant.verified(low)
            if midnight - await plant.now_ms() > _LATEST_MS:
                break
        await self._started(hot, HOT)
        await self._started(low, "hot-1")
        assert await plant.now_ms() < midnight, "the machine is too slow"
        await plant.passed(midnight)
        await self._held(hot, "H7")
        await self._held(low, "raise.42")
        await self._not_released(low, "raise.42")
        await plant.move(bob="yard")
        act = a.WithdrawPermit(permit_id=low, reason="it is night")
        await plant.ok("sue", act)
        await self._not_released(hot, "H7")
        await self._goes_on(hot, HOT)

    # --- the two works --------------------------------------------------------

    async def _hot_work(self, hot: str) -> None:
        """Break the hot work in every other way; end it in order."""
        plant = self.plant
        plant.tell(places={"gil": "gate"})
        await self._held(hot, "H2")
        await plant.passed(await plant.now_ms() + BREAK_MS)
        await plant.move(gil="yard")
        await self._not_released(hot, "H6")
        await self._goes_on(hot, HOT)
        await plant.ok("sam", WithdrawCard(card_id=plant.cards["ann"], code="revoked"))
        await self._held(hot, "H4")
        await plant.carded("ann")
        await self._goes_on(hot, HOT)
        plant.tell(dead=["cam-tank"])
        await self._held(hot, "H15")
        plant.tell(dead=[])
        await self._goes_on(hot, HOT)
        plant.tell(gas={"lel": 12.0})  # 0.6 % of methane
        await self._held(hot, "H9")
        await self._cleared(hot, HOT, "ann")
        await plant.ended(hot)

    async def _confined_space(self) -> str:
        """Break the confined space in every way; return it, closed."""
        plant = self.plant
        confined = await plant.booked(CONFINED)
        await self._prepared(confined, CONFINED)
        await plant.signed(confined)
        await self._guardian_lost()
        await plant.verified(confined)
        await plant.ok("gil", OpenEntryLog(permit_id=confined))
        await self._started(confined, CONFINED)
        await self._rescued(confined)
        plant.tell(places={"gil": "tank"})
        await self._held(confined, "H14")
        await plant.passed(await plant.now_ms() + BREAK_MS)
        await plant.move(gil="yard")
        await self._not_released(confined, "H6")
        await self._goes_on(confined, CONFINED)
        plant.tell(dead=["meter-tank"])
        await self._held(confined, "H8b", "H8")
        await self._cleared(confined, CONFINED, "ann", "bob")
        plant.tell(gas={"h2s": 9.0})  # below the alarm, above what may be breathed
        await self._held(confined, "H9b")
        await self._cleared(confined, CONFINED, "ann", "bob")
        await self._counted_out(confined)
        return confined

    async def _rescued(self, confined: str) -> None:
        """H14: nobody goes in to rescue without protection."""
        act = LogIn(permit_id=confined, person_id="max", rescue=True)
        no = await self.plant.people["gil"].refused(act)
        self.day.seen["H14d"] = f"{no.code} {no.params}"

    async def _counted_out(self, confined: str) -> None:
        """H14: nothing is accepted before everybody and every tool is out."""
        plant = self.plant
        act = LogIn(permit_id=confined, person_id="ann", tools=("t-1",))
        await plant.ok("gil", act)
        await plant.ok("sue", a.CompletePermit(permit_id=confined))
        after = a.DeclareFacts(permit_id=confined, facts={"site_restored": True})
        await plant.ok("sue", after)
        await plant.move(ann="yard", bob="yard")
        await self._denied(confined, "count_inside")
        out = LogOut(permit_id=confined, person_id="ann", tools=("t-1",))
        await plant.ok("gil", out)
        # Bob and Gil were seen inside, so they were counted in without a word.
        for person in ("bob", "gil"):
            await plant.ok("gil", LogOut(permit_id=confined, person_id=person))
        await plant.closed(confined)
        await self._plates_done()
        await plant.move(ann="tank", bob="tank")

    async def _cleared(self, permit_id: str, kind: str, *inside: str) -> None:
        """End the evacuation, which must come, with everybody out; test, release."""
        plant, crew = self.plant, ("ann", "bob")
        running = await self._running()
        plant.tell(gas=CALM_GAS, dead=[])
        await plant.move(**dict.fromkeys(crew, "gate"))
        for person in crew:
            seen = AccountPerson(evacuation_id=running, person_id=person)
            await plant.ok("max", seen)
        await plant.eventually("sam", ClearEvacuation(evacuation_id=running))
        await plant.move(**dict.fromkeys(inside, "tank"))
        await self._goes_on(permit_id, kind)

    async def _running(self) -> str:
        """Wait until the zone is cleared; return the evacuation."""
        for _ in range(240):
            found = await self.plant.people["sam"].get("/api/v1/evacuations")
            open_ = [e["id"] for e in found["items"] if not e["cleared_ms"]]
            if open_:
                return str(open_[0])
            await pause(0.25)
        raise AssertionError("nobody was called out")

    async def _overdue(self) -> None:
        """H10: what is over is over, and nobody can release it."""
        plant = self.plant
        short = self.day.short = await plant.booked(HOT, hours=0.03)
        await self._prepared(short, HOT)
        await plant.signed(short)
        await plant.verified(short)
        await self._started(short, HOT)
        view = await plant.becomes(short, "expired")
        act = ReleasePermit(permit_id=short, reason="a little longer")
        no = await plant.people["sam"].refused(act, view["version"])
        self.day.seen["H10"] = f"{no.code} {no.params}"

    async def _reported(self, park: Park) -> None:
        """Wait until the park has heard of every end."""
        day = self.day
        ends = {day.hot: "3", day.confined: "3", day.short: "4"}
        wanted = {(aq.uuid_of("ticket", p), status) for p, status in ends.items()}

        def heard() -> bool:
            records = park.records.values()
            return wanted <= {(r["ID"], r.get("TICKETSTATUS")) for r in records}

        await until(heard, "the park to hear of every end", 60)
