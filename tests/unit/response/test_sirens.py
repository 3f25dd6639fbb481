"""Sirens and other protective outputs end by a person's name alone (design §5)."""

import pytest

from core.api.model import Output, OutputKind
from core.response.acts import AccountPerson, ReleaseOutput, SilenceSirens
from core.response.events import CommandIssued, SirensResounded
from tests.support.yard import HOST, SIREN, Yard, box


@pytest.fixture
def yard() -> Yard:
    return Yard()


class TestSirens:
    @pytest.fixture
    def sounding(self, yard: Yard) -> Yard:
        yard.kernel.evacuations.start(["tank"], "evacuation.gas")
        yard.result(yard.executed()[-1].command.id, "confirmed")
        return yard

    def silence(self, yard: Yard, who: str = "max") -> str:
        return yard.act(who, SilenceSirens(zone_id="tank")).code

    def values(self, yard: Yard) -> list[object]:
        return [e.value for e in yard.events(CommandIssued)]

    def test_silenced_by_a_person_on_site(self, sounding: Yard) -> None:
        assert self.silence(sounding) == ""
        assert self.values(sounding) == [True, False]
        assert sounding.kernel.evacuations.running("tank")

    def test_not_from_afar(self, sounding: Yard) -> None:
        sounding.place("max", "500,500,0")
        assert self.silence(sounding) == "act.not_on_site"
        assert self.silence(sounding, "ann") == "act.role"

    def test_not_where_there_is_none(self, yard: Yard) -> None:
        reply = yard.act("max", SilenceSirens(zone_id="hall"))
        assert reply.code == "sirens.none"

    def test_they_sound_again_on_a_new_source(self, sounding: Yard) -> None:
        self.silence(sounding)
        sounding.reading("h2s", 30.0)
        assert self.values(sounding) == [True, False, True]
        assert [e.why for e in sounding.events(SirensResounded)] == ["new_source"]

    def test_they_sound_again_while_people_are_inside(self, sounding: Yard) -> None:
        self.silence(sounding)
        sounding.live(179)
        assert self.values(sounding) == [True, False]
        sounding.live(2)
        assert self.values(sounding) == [True, False, True]
        assert [e.why for e in sounding.events(SirensResounded)] == ["people_inside"]

    def test_they_stay_silent_when_nobody_is(self, sounding: Yard) -> None:
        self.silence(sounding)
        (evacuation,) = sounding.kernel.evacuations.running()
        for person in ("ann", "bob"):
            sounding.place(person, "gate")
            act = AccountPerson(evacuation_id=evacuation.id, person_id=person)
            sounding.act("max", act)
        sounding.live(300)
        assert self.values(sounding) == [True, False]
        sounding.place("max", "tank")
        assert self.values(sounding) == [True, False, True]

    def test_silence_outlives_no_restart_unknown(self, sounding: Yard) -> None:
        self.silence(sounding)
        sounding.clock.trusted = False
        sounding.restart(reboot="boot-2")
        assert [e.why for e in sounding.events(SirensResounded)] == ["late_unknown"]

    def test_the_wish_is_on_disk_before_the_siren_ends(self, sounding: Yard) -> None:
        sounding.journal.held = True
        sounding.ask("max", SilenceSirens(zone_id="tank"))
        assert self.values(sounding) == [True]
        sounding.journal.held = False
        sounding.break_disk()
        assert False not in self.values(sounding)
        assert [e.why for e in sounding.events(SirensResounded)] == ["not_durable"]
        assert not sounding.hub.state.response.silenced


class TestReleaseOfOutputs:
    POWER = Output(kind=OutputKind.POWER_CUT, contact_zone="hall")
    PLAIN = Output(kind=OutputKind.SIREN, contact_zone="tank")

    def release(
        self, yard: Yard, uid: str, who: str = "sam", reason: str = "ok"
    ) -> str:
        entity = yard.entity(HOST, "box-tank", uid)
        return yard.act(who, ReleaseOutput(entity_id=entity, reason=reason)).code

    def test_power_comes_back_by_name(self, yard: Yard) -> None:
        yard.declare(HOST, box(siren=SIREN, power=self.POWER))
        assert self.release(yard, "power", "ann") == "act.role"
        assert self.release(yard, "power", reason="") == "output.reason"
        assert self.release(yard, "power") == ""
        assert yard.executed()[-1].command.value is False

    def test_not_while_the_hazard_is_there(self, yard: Yard) -> None:
        yard.declare(HOST, box(siren=SIREN, power=self.POWER))
        yard.reading("h2s", 30.0)
        assert self.release(yard, "power") == "output.hazard"

    def test_not_against_the_ex_rules(self, yard: Yard) -> None:
        yard.declare(HOST, box(siren=self.PLAIN))
        yard.kernel.alarms.raise_(
            "zone:tank", "x", kind="gas.combustible", priority=1, zone_id="tank"
        )
        assert self.release(yard, "siren") == "output.withheld"

    def test_of_an_output(self, yard: Yard) -> None:
        act = ReleaseOutput(entity_id="gone", reason="ok")
        assert yard.act("sam", act).code == "output.unknown"
