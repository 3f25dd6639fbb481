"""What takes two persons: anything that a new bundle may loosen (design §5)."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automations.packs.compile import find, load
from automations.packs.overlay import permit_kinds
from core import config, texts
from core.api.model import Output, OutputKind
from core.config import Bundle
from core.processes.loosening import ANYWHERE, loosens
from core.processes.loosening_work import weighty
from tests.support.yard import bundle, names

BASE = bundle()
OSHA = load(find("us-osha"))
SIREN = Output(kind=OutputKind.SIREN, ex_rated=True)


def put(what: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(what, **fields)


def at(items: tuple[Any, ...], number: int, **fields: Any) -> tuple[Any, ...]:
    made = list(items)
    made[number] = put(items[number], **fields)
    return tuple(made)


RULE = config.Rule(
    id="gas", names=names("gas"), version="1", hash="a", life_safety=True
)
METER = next(n for n, each in enumerate(BASE.devices) if each.uid == "meter-tank")
FULL = put(
    BASE,
    packs=(OSHA,),
    permit_kinds=(*BASE.permit_kinds, *permit_kinds(OSHA)),
    rules=(RULE, put(RULE, id="fan", life_safety=False)),
    integrations=(
        config.IntegrationConfig(
            id="field", integration="modbus", options={"scale": 1}, secrets=("a",)
        ),
    ),
    devices=at(
        BASE.devices,
        METER,
        critical=("*",),
        max_age_s=10.0,
        outputs={"siren": SIREN},
        bump_every_h=24.0,
    ),
)
H2S, LIMIT = FULL.quantities[0], FULL.quantities[0].limits[0]
TANK = FULL.site.zones[0]


def meter(**fields: Any) -> Bundle:
    made: Bundle = put(FULL, devices=at(FULL.devices, METER, **fields))
    return made


def gas(**fields: Any) -> Bundle:
    made: Bundle = put(FULL, quantities=at(FULL.quantities, 0, **fields))
    return made


def kind(**fields: Any) -> Bundle:
    made: Bundle = put(FULL, permit_kinds=at(FULL.permit_kinds, 0, **fields))
    return made


def zone(**fields: Any) -> Bundle:
    site = put(FULL.site, zones=at(FULL.site.zones, 0, **fields))
    made: Bundle = put(FULL, site=site)
    return made


def rule(**fields: Any) -> Bundle:
    made: Bundle = put(FULL, rules=at(FULL.rules, 0, **fields))
    return made


def pack(**fields: Any) -> Bundle:
    made: Bundle = put(FULL, packs=(put(OSHA, **fields),))
    return made


def site(**fields: Any) -> Bundle:
    made: Bundle = put(FULL, site=put(FULL.site, **fields))
    return made


STEPS = FULL.chains[0].steps
EXACT = config.DeviceRule(integration="field", uid="meter-7", zone="hall")
LOOSER = {
    "a pack removed": (put(FULL, packs=()), "pack", True),
    "a pack added": (
        put(FULL, packs=(OSHA, load(find("cn-construction")))),
        "pack",
        True,
    ),
    "a rule of a pack removed": (pack(rules=OSHA.rules[1:]), "pack", True),
    "a kind added": (
        put(FULL, permit_kinds=(*FULL.permit_kinds, put(FULL.permit_kinds[0], id="x"))),
        "kind",
        True,
    ),
    "a kind removed": (put(FULL, permit_kinds=FULL.permit_kinds[1:]), "kind", True),
    "no guardian": (kind(guardian=False), "kind", True),
    "longer valid": (kind(valid_h=9.0), "kind", True),
    "slower": (kind(reaction_s=31.0), "kind", True),
    "fewer gases": (kind(gases=("o2",)), "kind", True),
    "easier release": (
        kind(retest=put(FULL.permit_kinds[0].retest, roles=("worker",))),
        "kind",
        True,
    ),
    "another order": (kind(safe_state="stop"), "kind", True),
    "a life-safety rule gone": (put(FULL, rules=FULL.rules[1:]), "rule", True),
    "a life-safety rule off": (rule(mode="off"), "rule", True),
    "a life-safety rule shadowed": (rule(mode="shadow"), "rule", True),
    "a life-safety rule demoted": (rule(life_safety=False), "rule", True),
    "a life-safety rule of other steps": (
        rule(steps=(config.Step(path="a", action="notify", fields={}),)),
        "rule",
        True,
    ),
    "a zone with a mode of its own": (rule(zone_modes={"tank": "off"}), "rule", True),
    "a meter gone": (
        put(FULL, devices=FULL.devices[:METER] + FULL.devices[METER + 1 :]),
        "device",
        False,
    ),
    "a meter re-zoned": (meter(zone="yard"), "device", False),
    "a meter caught by a new rule": (
        put(FULL, devices=(*FULL.devices, EXACT)),
        "device",
        False,
    ),
    "a meter less critical": (meter(critical=()), "device", False),
    "an older reading": (meter(max_age_s=11.0), "device", False),
    "its own age": (meter(max_age_s=None), "device", False),
    "a slower loss": (meter(lost_s=61.0), "device", False),
    "an Ex rating": (meter(outputs={"siren": put(SIREN, ex_rated=False)}), "device", 0),
    "limits of its own": (
        meter(limits={"h2s": (put(LIMIT, above=99.0),)}),
        "device",
        0,
    ),
    "no bump test": (meter(bump_every_h=None), "device", False),
    "a quantity gone": (put(FULL, quantities=FULL.quantities[1:]), "quantity", False),
    "a higher limit": (gas(limits=(put(LIMIT, above=11.0),)), "quantity", False),
    "no limit": (gas(limits=()), "quantity", False),
    "a later limit": (gas(limits=(put(LIMIT, sustain_s=5.0),)), "quantity", False),
    "a lesser alarm": (gas(limits=(put(LIMIT, priority=2),)), "quantity", False),
    "no life safety": (gas(limits=(put(LIMIT, life_safety=False),)), "quantity", False),
    "another scale": (gas(molar_mass=17.0), "quantity", False),
    "another unit": (gas(unit="mg/m3"), "quantity", False),
    "more accepted": (gas(accept_below=6.0), "quantity", False),
    "a zone gone": (site(zones=FULL.site.zones[1:]), "zone", False),
    "a zone moved": (zone(polygon=((0, 0), (1, 0), (1, 1))), "zone", False),
    "a zone less dangerous": (zone(hazard="general"), "zone", False),
    "a neighbour gone": (zone(neighbours=()), "zone", False),
    "another register": (
        put(FULL, integrations=at(FULL.integrations, 0, options={"scale": 2})),
        "integration",
        False,
    ),
    "a host gone": (put(FULL, integrations=()), "integration", False),
    "a chain gone": (put(FULL, chains=()), "chain", False),
    "a step gone": (
        put(FULL, chains=at(FULL.chains, 0, steps=STEPS[1:])),
        "chain",
        False,
    ),
    "more time to leave": (site(evacuate_s=121.0), "site", False),
    "a muster point gone": (site(muster_points=()), "site", False),
}
TIGHTER = {
    "the same": FULL,
    "another name": zone(names=names("silo")),
    "another person": put(FULL, people=()),
    "a zone more": site(zones=(*FULL.site.zones, put(TANK, id="silo"))),
    "a neighbour more": zone(neighbours=("yard", "hall")),
    "a lower limit": gas(limits=(put(LIMIT, above=5.0, sustain_s=0.0),)),
    "a limit more": gas(limits=(LIMIT, put(LIMIT, condition="high_high", above=50.0))),
    "less accepted": gas(accept_below=1.0),
    "shorter valid": kind(valid_h=1.0),
    "quicker": kind(reaction_s=1.0),
    "more gases": kind(gases=("h2s", "o2", "lel")),
    "a rule more": put(FULL, rules=(*FULL.rules, put(RULE, id="new"))),
    "a fan rule gone": put(FULL, rules=FULL.rules[:1]),
    "a newer text of a rule": rule(version="2", hash="b", names=names("x")),
    "a stricter unknown": rule(on_unknown="fire"),
    "a younger reading": meter(max_age_s=5.0),
    "a quicker loss": meter(lost_s=30.0),
    "no evidence": meter(evidence=False),
    "another secret": put(FULL, integrations=at(FULL.integrations, 0, secrets=("b",))),
    "a step more": put(FULL, chains=at(FULL.chains, 0, steps=(*STEPS, STEPS[0]))),
    "less time": site(evacuate_s=60.0),
    "a pack's longer memory": pack(retention_days=9999),
}


@pytest.mark.parametrize("case", LOOSER)
def test_what_is_looser_is_found_and_told(case: str) -> None:
    new, part, always = LOOSER[case]
    found = loosens(FULL, new)
    assert part in {each.part for each in found}
    assert {each.always for each in found if each.part == part} == {bool(always)}
    for each in found:
        params = {name: getattr(each, name) for name in ("about", "path", "old", "new")}
        for language in texts.LANGUAGES:
            said = texts.render(f"loosening.{each.part}", params, language)
            assert each.about in said


@pytest.mark.parametrize("case", TIGHTER)
def test_what_is_tighter_takes_one_person(case: str) -> None:
    assert loosens(FULL, TIGHTER[case]) == ()


def test_the_first_bundle_loosens_nothing_that_was_there() -> None:
    """An empty hub protects nothing yet: who sets it up needs no second person."""
    assert [each for each in loosens(config.EMPTY, FULL) if each.always] == []
    assert weighty(loosens(config.EMPTY, FULL), []) == []


def test_a_password_among_options_is_not_shown() -> None:
    options = {"password": "hunter2"}
    new = put(FULL, integrations=at(FULL.integrations, 0, options=options))
    assert "hunter2" not in repr(loosens(FULL, new))


def test_a_field_that_nobody_judges_is_looser() -> None:
    """Whoever adds a field to the bundle says which way is tighter, or pays."""
    new = meter(person="ann")
    assert [each.path for each in loosens(FULL, new)] == ["field/meter-tank.person"]


@given(st.sampled_from(sorted(LOOSER)), st.sampled_from(sorted(LOOSER)))
def test_the_way_back_from_looser_is_never_lost(one: str, other: str) -> None:
    """Two steps that undo each other leave no trace; what stays looser is found."""
    first, second = LOOSER[one][0], LOOSER[other][0]
    assert loosens(first, first) == ()
    if first != second:
        assert loosens(FULL, first)
        assert loosens(FULL, second)


def test_zones_say_which_permits_are_touched() -> None:
    moved = loosens(FULL, meter(zone="yard"))
    assert {zone for each in moved for zone in each.zones} == {"tank", "yard"}
    everywhere = loosens(FULL, gas(accept_below=6.0))
    assert {zone for each in everywhere for zone in each.zones} == {ANYWHERE}
