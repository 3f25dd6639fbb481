"""Stop-work orders, warnings and weather (GB 30871 5.2.15, 8.2.6, 9.2.4; R5)."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api.errors import Refused
from core.api.quality import Quality
from core.api.reading import Value
from core.config import Bundle, Quantity
from core.journal.envelope import Cause
from core.permits.lifecycle import PermitStatus
from core.permits.surroundings import STATED_S
from core.permits.surroundings_acts import (
    EndStopWork,
    EndWeatherWarning,
    StopWork,
    WarnOfWeather,
)
from core.permits.surroundings_events import WorkAllowed, WorkStopped
from core.permits.weather import WEATHER
from tests.support.sources import Sources, kind, pack, setting, site, station
from tests.support.yard import HOST

SAM = Cause(actor="person:sam")
LAW = pack((22, 6), setting("hot_wind_ms", 8.0, "m/s"))


@pytest.fixture
def yard() -> Sources:
    return Sources(site(packs=(LAW,)))


def stop(yard: Sources, *zones: str) -> str:
    reply = yard.act("sue", StopWork(zones=zones, reason="storm"))
    assert reply.ok, (reply.code, reply.params)
    return str(reply.result["order_id"])


class TestStopWork:
    def test_it_holds_all_it_covers_at_once(self, yard: Sources) -> None:
        yard.work("p")
        yard.work("q", zone_id="hall")
        yard.work("r", status=PermitStatus.COMPLETED)
        stop(yard, "tank")
        held = {p.id: [h.hold.code for h in p.holds.values()] for p in yard.permits()}
        assert held == {"p": ["stop_work"], "q": [], "r": []}
        assert yard.around_(yard.permit("p"))["stop_work_order"] is True
        assert yard.around_(yard.permit("q"))["stop_work_order"] is False

    def test_no_zone_is_every_zone(self, yard: Sources) -> None:
        yard.work("p")
        yard.work("q", zone_id="hall")
        stop(yard)
        assert {p.status for p in yard.permits()} == {PermitStatus.HELD}

    def test_what_starts_under_an_order_is_held_too(self, yard: Sources) -> None:
        """R1: levels, not only edges."""
        stop(yard)
        yard.work("p")
        yard.live(2)
        assert yard.permit("p").status is PermitStatus.HELD

    def test_its_end_releases_nothing(self, yard: Sources) -> None:
        yard.work("p")
        end = EndStopWork(order_id=stop(yard), reason="over")
        yard.around._end_stop("sam", end, None, SAM)
        assert yard.permit("p").status is PermitStatus.HELD
        assert yard.around_(yard.permit("p"))["stop_work_order"] is False

    def test_an_end_that_never_was_durable_is_taken_back(self, yard: Sources) -> None:
        order_id = stop(yard)
        yard.journal.held = True
        end = EndStopWork(order_id=order_id, reason="over")
        yard.around._end_stop("sam", end, None, SAM)
        assert yard.around.stopped("tank") is None
        yard.break_disk()
        order = yard.around.stopped("tank")
        assert order is not None and order.id == order_id
        assert len(yard.events(WorkStopped)) == 2

    def test_a_broken_disk_stops_no_order(self, yard: Sources) -> None:
        """Design §2: what protects acts on accepted."""
        yard.work("p")
        yard.break_disk()
        stop(yard)
        assert yard.permit("p").status is PermitStatus.HELD

    def test_refusals(self, yard: Sources) -> None:
        assert yard.act("sue", StopWork(zones=("moon",), reason="x")).code == (
            "site.zone_unknown"
        )
        assert yard.act("ann", StopWork(reason="x")).code == "act.role"
        with pytest.raises(Refused, match=r"site\.no_order"):
            yard.around._end_stop("sam", EndStopWork(order_id="o", reason="x"), 1, SAM)

    def test_the_state_is_a_fold(self, yard: Sources) -> None:
        first = stop(yard, "tank")
        stop(yard)
        warn(yard, "typhoon", 60)
        end = EndStopWork(order_id=first, reason="over")
        yard.around._end_stop("sam", end, None, SAM)
        yard.settle()
        assert len(yard.events(WorkAllowed)) == 1
        now = yard.hub.state.permits.surroundings
        assert yard.replayed().permits.surroundings == now
        yard.restart(clean=False)
        assert yard.around.stopped("hall") is not None


def warn(yard: Sources, kind: str, minutes: float, level: str = "") -> None:
    until_ms = int(yard.clock.wall_ns() / 1e6 + minutes * 60_000)
    act = WarnOfWeather(kind=kind, level=level, until_ms=until_ms)  # type: ignore[arg-type]
    reply = yard.act("max", act)
    assert reply.ok, (reply.code, reply.params)


class TestWarnings:
    def test_it_stands_until_its_time(self, yard: Sources) -> None:
        permit = yard.work("p")
        warn(yard, "typhoon", 60, "orange")
        facts = yard.around_(permit)
        assert facts["typhoon_warning"] is True and facts["flood_warning"] is False
        yard.clock.advance(3599)
        assert yard.around_(permit)["typhoon_warning"] is True
        yard.clock.advance(2)
        assert yard.around_(permit)["typhoon_warning"] is False

    def test_another_word_never_shortens_it(self, yard: Sources) -> None:
        permit = yard.work("p")
        warn(yard, "flood", 60)
        warn(yard, "flood", 5)
        yard.clock.advance(10 * 60)
        assert yard.around_(permit)["flood_warning"] is True
        warn(yard, "flood", 120)
        yard.clock.advance(100 * 60)
        assert yard.around_(permit)["flood_warning"] is True

    def test_an_end_that_nobody_can_tell_has_not_come(self, yard: Sources) -> None:
        permit = yard.work("p")
        warn(yard, "flood", 60)
        yard.clock.trusted = False
        yard.restart(reboot="other-boot")
        yard.clock.advance(10 * 86_400)
        assert yard.around_(permit)["flood_warning"] is True

    def test_a_clock_that_is_wrong_gives_no_end(self, yard: Sources) -> None:
        permit = yard.work("p")
        yard.clock.trusted = False
        warn(yard, "flood", -60)
        yard.clock.advance(10 * 86_400)
        assert yard.around_(permit)["flood_warning"] is True

    def test_a_past_end_is_refused(self, yard: Sources) -> None:
        until_ms = int(yard.clock.wall_ns() / 1e6) - 1
        act = WarnOfWeather(kind="flood", until_ms=until_ms)
        assert yard.act("max", act).code == "site.warning_past"

    def test_a_person_ends_it_and_the_disk_may_bring_it_back(
        self, yard: Sources
    ) -> None:
        warn(yard, "flood", 60)
        yard.journal.held = True
        yard.around._end_warning("sam", EndWeatherWarning(kind="flood"), None, SAM)
        assert not yard.around.warned("flood")
        yard.break_disk()
        assert yard.around.warned("flood")
        with pytest.raises(Refused, match=r"site\.no_warning"):
            again = EndWeatherWarning(kind="typhoon")
            yard.around._end_warning("sam", again, None, SAM)


class TestSensors:
    def test_the_zones_own_sensor_counts(self, yard: Sources) -> None:
        yard.declare(HOST, station("ws-tank", "wind", "gust"))
        yard.declare(HOST, station("ws-hall", "wind"))
        yard.weather("ws-tank", wind=5.0, gust=9.5)
        yard.weather("ws-hall", wind=12.0)
        assert yard.around_(yard.work("p"))["wind_ms"] == 9.5
        assert yard.around_(yard.work("q", zone_id="hall"))["wind_ms"] == 12.0

    def test_the_sites_counts_where_a_zone_has_none(self, yard: Sources) -> None:
        yard.declare(HOST, station("mast", "wind"))
        yard.declare(HOST, station("ws-hall", "wind"))
        yard.weather("mast", wind=3.0)
        yard.weather("ws-hall", wind=12.0)
        assert yard.around_(yard.work("p"))["wind_ms"] == 3.0

    def test_else_the_worst_of_all(self, yard: Sources) -> None:
        for zone, wind in (("yard", 4.0), ("hall", 12.0)):
            yard.declare(HOST, station(f"ws-{zone}", "wind"))
            yard.weather(f"ws-{zone}", wind=wind)
        assert yard.around_(yard.work("p"))["wind_ms"] == 12.0

    def test_another_places_clear_air_says_nothing(self, yard: Sources) -> None:
        yard.declare(HOST, station("mast", "sight"))
        yard.weather("mast", sight=900.0)
        assert "visibility_m" not in yard.around_(yard.work("p"))
        yard.declare(HOST, station("ws-tank", "sight"))
        yard.weather("ws-tank", sight=2.0)
        assert yard.around_(yard.work("p"))["visibility_m"] == 2.0

    @pytest.mark.parametrize("sign", ["fog", "heavy_rain", "heavy_snow", "lightning"])
    def test_signs(self, yard: Sources, sign: str) -> None:
        permit = yard.work("p")
        yard.declare(HOST, station("mast", sign))
        assert sign not in yard.around_(permit)
        yard.weather("mast", **{sign: False})
        assert yard.around_(permit)[sign] is False
        yard.told.clear()
        yard.weather("mast", **{sign: True})
        assert yard.around_(permit)[sign] is True
        assert yard.told == [["p"]]

    def test_only_a_passed_threshold_is_told(self, yard: Sources) -> None:
        """Cost grows with what matters, not with each reading."""
        yard.work("p")
        yard.declare(HOST, station("mast", "wind"))
        yard.weather("mast", wind=3.0)
        yard.told.clear()
        for wind in (4.0, 7.9, 6.0):
            yard.weather("mast", wind=wind)
        assert yard.told == []
        yard.weather("mast", wind=8.0)
        assert yard.told == [["p"]]

    def test_a_sensor_tells_only_whom_it_counts_for(self, yard: Sources) -> None:
        yard.work("p")
        yard.work("q", zone_id="hall")
        yard.work("s", zone_id="gate")
        for zone in ("tank", "hall"):
            yard.declare(HOST, station(f"ws-{zone}", "fog"))
            yard.weather(f"ws-{zone}", fog=False)
        yard.told.clear()
        yard.weather("ws-hall", fog=True)
        assert yard.told == [["q", "s"]]

    def test_an_unknown_unit_tells_nothing(self) -> None:
        made = site()
        fewer = tuple(q for q in made.quantities if q.id != "wind")
        yard = Sources(_with(made, fewer))
        yard.declare(HOST, station("mast", "wind"))
        yard.weather("mast", wind=3.0)
        assert "wind_ms" not in yard.around_(yard.work("p"))

    @pytest.mark.parametrize("quality", sorted(set(Quality) - {Quality.GOOD}))
    @pytest.mark.parametrize(
        ("part", "value", "fact"),
        [
            ("wind", 3.0, "wind_ms"),
            ("fog", False, "fog"),
            ("air", 9.0, "temperature_c"),
        ],
    )
    def test_nothing_but_good_gives_a_fact(
        self, yard: Sources, quality: Quality, part: str, value: Value, fact: str
    ) -> None:
        """Design §5 Truth: and a second sensor never stands in for it (R5)."""
        permit = yard.work("p")
        for uid in ("mast-1", "mast-2"):
            yard.declare(HOST, station(uid, part))
            yard.weather(uid, **{part: value})
        assert yard.around_(permit)[fact] == value
        yard.report(HOST, "mast-1", part, value, quality)
        assert fact not in yard.around_(permit)

    def test_silence_takes_the_fact_away(self, yard: Sources) -> None:
        permit = yard.work("p")
        yard.declare(HOST, station("mast", "wind"))
        yard.weather("mast", wind=3.0)
        yard.live(9)
        assert yard.around_(permit)["wind_ms"] == 3.0
        yard.live(3)
        assert "wind_ms" not in yard.around_(permit)


def _with(made: Bundle, quantities: tuple[Quantity, ...]) -> Bundle:
    return msgspec.structs.replace(made, quantities=quantities)


class TestStatements:
    def test_a_person_may_tell_what_no_sensor_does(self, yard: Sources) -> None:
        permit = yard.work("p")
        yard.declare_fact(permit, "wind_ms", 4)
        assert yard.around_(permit)["wind_ms"] == 4
        yard.clock.advance(STATED_S)
        assert yard.around_(permit)["wind_ms"] == 4
        yard.clock.advance(1)
        assert "wind_ms" not in yard.around_(permit)

    def test_a_word_never_stands_in_for_a_silent_sensor(self, yard: Sources) -> None:
        """R5."""
        permit = yard.work("p")
        yard.declare(HOST, station("mast", "wind"))
        yard.declare_fact(permit, "wind_ms", 4)
        assert "wind_ms" not in yard.around_(permit)
        joined = yard.kernel.permits.facts
        found = joined.of(permit, kind(), LAW, frozenset({"wind_ms"}))
        assert "wind_ms" not in found
        yard.weather("mast", wind=9.0)
        assert yard.around_(permit)["wind_ms"] == 9.0

    def test_a_word_of_another_boot_is_no_word(self, yard: Sources) -> None:
        permit = yard.work("p")
        yard.declare_fact(permit, "fog", False)
        yard.clock.reboot("next")
        assert "fog" not in yard.around_(permit)

    def test_only_the_weather_may_be_stated(self, yard: Sources) -> None:
        assert yard.around.fallback == WEATHER < yard.around.names
        permit = yard.work("p")
        for name in yard.around.names - WEATHER:
            yard.declare_fact(permit, name, False)
        yard.clock.trusted = False
        found = yard.around_(permit)
        assert {"is_night", "is_holiday", "is_rest_day"}.isdisjoint(found)
        assert found["stop_work_order"] is False


QUALITIES = st.sampled_from(sorted(Quality))
WIND = st.floats(0, 60)


@given(st.lists(st.tuples(WIND, QUALITIES), min_size=1, max_size=4))
def test_a_bad_sensor_never_makes_the_wind_lower(
    said: list[tuple[float, Quality]],
) -> None:
    """Design §5 Truth: worst of all, or nothing at all."""
    yard = Sources()
    permit = yard.work("p")
    for number, (wind, quality) in enumerate(said):
        yard.declare(HOST, station(f"mast-{number}", "wind"))
        yard.report(HOST, f"mast-{number}", "wind", wind, quality)
    found = yard.around_(permit).get("wind_ms")
    if all(quality is Quality.GOOD for _, quality in said):
        assert found == pytest.approx(max(wind for wind, _ in said))
    else:
        assert found is None


@given(st.integers(-(10**6), 10**6), st.booleans())
def test_a_statement_counts_for_its_hour_whatever_the_wall_does(
    step_s: int, early: bool
) -> None:
    yard = Sources()
    permit = yard.work("p")
    yard.declare_fact(permit, "fog", False)
    yard.clock.step_wall(step_s)
    yard.clock.advance(STATED_S - 1 if early else STATED_S + 1)
    assert ("fog" in yard.around_(permit)) is early
