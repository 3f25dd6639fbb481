"""The simulated site: two places of danger, their devices, and its bundles."""

import functools

import msgspec

from automations import blueprint
from automations.compile_rule import instantiate
from core import config
from core.api.model import Device, Entity, EntityKind, Output, OutputKind
from core.config import (
    Bundle,
    ChainStep,
    DeviceRule,
    IntegrationConfig,
    Level,
    Limit,
    MusterPoint,
    Names,
    NotifyChain,
    PermitKind,
    Person,
    Quantity,
    Retest,
    Site,
    Zone,
)

FIELD, TAGS = "field", "tags"
HOSTS = (FIELD, TAGS)
#: Zone → gas → what it reads when all is well.
CALM = {
    "tank": {"h2s": 0.5, "lel": 1.0, "o2": 20.9},
    "pit": {"lel": 0.5, "co": 2.0},
}
#: Gas → a value beyond its life-safety limit.
DEADLY = {"h2s": 25.0, "lel": 45.0, "o2": 16.5, "co": 90.0}
UNITS = {"h2s": "ppm", "lel": "%LEL", "o2": "%vol", "co": "ppm"}
MAX_AGE_S, LOST_S, REACTION_S = 12.0, 30.0, 20.0
ROLES = {
    "ann": ("worker",),
    "bob": ("worker",),
    "cat": ("worker",),
    "gil": ("guardian",),
    "gus": ("guardian",),
    "sue": ("supervisor",),
    "ivy": ("issuer",),
    "sam": ("safety_officer",),
    "max": ("marshal",),
    "tom": ("maintainer",),
    "pia": ("auditor",),
}
ZONES = ("tank", "pit", "yard", "gate")


def _names(text: str) -> Names:
    return Names(zh=text, en=text)


def _square(x: float, y: float, side: float) -> tuple[tuple[float, float], ...]:
    return ((x, y), (x + side, y), (x + side, y + side), (x, y + side))


def _limit(condition: str, gas: str, kind: str, **more: object) -> Limit:
    fields = {"priority": 1, "life_safety": True, **more}
    return Limit(condition=condition, kind=kind, unit=UNITS[gas], **fields)  # type: ignore[arg-type]


_ADVICE = {"priority": 3, "life_safety": False}


def _gas(
    gas: str, gas_class: str, *limits: Limit, below: float, above: float | None = None
) -> Quantity:
    return Quantity(
        id=gas,
        names=_names(gas.upper()),
        unit=UNITS[gas],
        gas_class=gas_class,
        accept_below=below,
        accept_above=above,
        limits=limits,
    )


def _quantities(strict: bool) -> tuple[Quantity, ...]:
    """Return the gases; the changed bundle has lower limits."""
    share = 0.8 if strict else 1.0
    advice = _limit("advice", "lel", "gas.combustible.low", above=8 * share, **_ADVICE)
    slow = _limit("slow", "co", "gas.toxic.slow", above=22.0, sustain_s=15.0, **_ADVICE)
    return (
        _gas(
            "h2s",
            "toxic",
            _limit("high", "h2s", "gas.toxic", above=10.0 * share),
            below=5.0 * share,
        ),
        _gas(
            "lel",
            "combustible",
            _limit("high", "lel", "gas.combustible", above=20.0, hysteresis=2.0),
            advice,
            below=5.0,
        ),
        _gas(
            "o2",
            "oxygen",
            _limit("low", "o2", "gas.oxygen", below=19.5),
            _limit("high", "o2", "gas.oxygen", above=23.5),
            below=23.5,
            above=19.5,
        ),
        _gas(
            "co",
            "toxic",
            _limit("high", "co", "gas.toxic", above=30.0, latching=True),
            slow,
            below=20.0,
        ),
    )


_KINDS = (
    PermitKind(
        id="confined",
        names=_names("confined space"),
        safe_state="leave",
        gases=("h2s", "o2"),
        valid_h=4.0,
        reaction_s=REACTION_S,
        gas_age_s=60.0,
        retest=Retest(gases=("h2s", "o2")),
    ),
    PermitKind(
        id="hot",
        names=_names("hot work"),
        safe_state="stop",
        gases=("lel",),
        guardian=False,
        valid_h=0.25,
        reaction_s=REACTION_S / 2,
        gas_age_s=60.0,
    ),
)
_CHAIN = NotifyChain(
    id="gas",
    steps=(
        ChainStep(roles=("supervisor",), channels=("app", "sms"), respond_s=40.0),
        ChainStep(roles=("owner",), channels=("app",), respond_s=40.0),
        ChainStep(roles=("safety_officer",), channels=("app", "call"), respond_s=60.0),
    ),
)


def _site() -> Site:
    zones = (
        Zone(
            id="tank",
            names=_names("tank"),
            level="ground",
            polygon=_square(2, 2, 4),
            hazard="confined",
            neighbours=("yard",),
        ),
        Zone(id="pit", names=_names("pit"), level="ground", polygon=_square(12, 2, 4)),
        Zone(id="yard", names=_names("y"), level="ground", polygon=_square(0, 0, 20)),
        Zone(
            id="gate", names=_names("gate"), level="ground", polygon=_square(40, 0, 5)
        ),
    )
    return Site(
        id="sim",
        names=_names("sim"),
        levels=(Level(id="ground", names=_names("0")),),
        zones=zones,
        muster_points=(
            MusterPoint(id="m-gate", names=_names("gate"), level="ground", at=(42, 2)),
        ),
        evacuate_s=90.0,
    )


@functools.cache
def _rule(neighbours: bool) -> config.Rule:
    print_ = blueprint.read(blueprint.SHIPPED / "gas-alarm-response.yaml")
    return instantiate(
        print_,
        rule_id="gas",
        mode="enforce",
        given={"chain": "gas", "neighbours": neighbours},
        zones=set(ZONES),
        chains={"gas"},
    )


@functools.cache
def bundle(changed: bool = False) -> Bundle:
    """Return the site's bundle, or the one that takes its place."""
    rules = (
        *(DeviceRule(integration=TAGS, uid=f"tag-{p}", person=p) for p in ROLES),
        DeviceRule(integration=FIELD, uid="meter-tank*", zone="tank", lost_s=LOST_S),
        DeviceRule(integration=FIELD, uid="meter-pit", zone="pit", lost_s=LOST_S),
        DeviceRule(integration=FIELD, uid="box-tank", zone="tank"),
        DeviceRule(integration=FIELD, uid="box-pit", zone="pit"),
        DeviceRule(integration=TAGS, uid="gate-*", zone="tank"),
    )
    people = tuple(
        Person(id=p, name=p, roles=roles, tags=(f"tag-{p}",), contacts={"sms": p})
        for p, roles in ROLES.items()
    )
    return Bundle(
        site=_site(),
        people=people,
        quantities=_quantities(changed),
        permit_kinds=_KINDS,
        devices=rules,
        integrations=tuple(IntegrationConfig(id=h, integration=h) for h in HOSTS),
        chains=(_CHAIN,),
        rules=(_rule(changed),),
    )


def _broken() -> dict[str, bytes]:
    """Return bundles that no hub may arm: garbage, too new, and a changed one."""
    newer = config.dump(msgspec.structs.replace(bundle(), version=99))
    garbage = b"\x93not a bundle"
    return {
        config.digest(newer): newer,
        config.digest(garbage): garbage,
        "0" * 64: config.dump(bundle()),
    }


@functools.cache
def shelf() -> tuple[list[str], list[str], dict[str, bytes]]:
    """Return the digests of the good ones, of the bad ones, and all their bytes."""
    # Through its bytes once, as it is published: an int in a float's place is one.
    good = [config.dump(config.load(config.dump(bundle(b)))) for b in (False, True)]
    files = {config.digest(data): data for data in good}
    bad = _broken()
    return list(files), [*bad, "f" * 64, "nonsense"], files | bad


def _meter(uid: str, gases: tuple[str, ...]) -> Device:
    return Device(
        uid=uid,
        name=uid,
        entities=tuple(
            Entity(
                uid=gas,
                name=gas,
                kind=EntityKind.GAS,
                quantity=gas,
                unit=UNITS[gas],
                max_age_s=MAX_AGE_S,
                critical=True,
                full_scale=100.0 if gas in ("lel", "co", "h2s") else None,
            )
            for gas in gases
        ),
    )


def _box(uid: str, **outputs: Output) -> Device:
    return Device(
        uid=uid,
        name=uid,
        entities=tuple(
            Entity(
                uid=name, name=name, kind=EntityKind.OUTPUT, output=out, max_age_s=60.0
            )
            for name, out in outputs.items()
        ),
    )


def meters() -> dict[str, tuple[str, Device]]:
    """Return the gas meters: uid → zone and device."""
    return {
        "meter-tank-1": ("tank", _meter("meter-tank-1", ("h2s", "lel", "o2"))),
        "meter-tank-2": ("tank", _meter("meter-tank-2", ("h2s",))),
        "meter-pit": ("pit", _meter("meter-pit", ("lel", "co"))),
    }


def boxes() -> list[Device]:
    """Return the relay boxes: sirens, fans, power cuts, Ex and not."""
    siren = OutputKind.SIREN
    return [
        _box(
            "box-tank",
            siren=Output(kind=siren, ex_rated=True, contact_zone="tank"),
            fan=Output(kind=OutputKind.FAN, contact_zone="yard", outside_air=True),
        ),
        _box(
            "box-pit",
            siren=Output(kind=siren, ex_rated=True, contact_zone="pit"),
            fan=Output(kind=OutputKind.FAN, contact_zone="pit"),
            power=Output(kind=OutputKind.POWER_CUT, contact_zone="yard"),
        ),
    ]


def tag(person: str) -> Device:
    """Return a person's tag, which also calls for help."""
    fix = Entity(uid="fix", name="fix", kind=EntityKind.LOCATION, max_age_s=MAX_AGE_S)
    return Device(uid=f"tag-{person}", name=person, entities=(fix,))


GATE = Device(uid="gate-tank", name="gate")
