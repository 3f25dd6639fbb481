"""A small works as a bundle: two levels, four zones, a crew of eight."""

from core import config as c
from core.api.model import Device, Entity, EntityKind, Output, OutputKind

EXPOSURE = "GBZ 2.1"


def _names(zh: str, en: str) -> c.Names:
    return c.Names(zh=zh, en=en)


def _limit(
    condition: str, kind: str, unit: str, above: float, priority: int
) -> c.Limit:
    return c.Limit(
        condition=condition,
        kind=kind,
        unit=unit,
        above=above,
        priority=priority,
        life_safety=True,
        latching=True,
        source=EXPOSURE,
    )


QUANTITIES = (
    c.Quantity(
        id="h2s",
        names=_names("硫化氢", "H₂S"),
        unit="ppm",
        gas_class="toxic",
        accept_below=6.6,
        limits=(
            _limit("high", "gas.toxic", "ppm", 6.6, 2),
            _limit("high_high", "gas.toxic", "ppm", 13.2, 1),
        ),
    ),
    c.Quantity(
        id="ch4",
        names=_names("甲烷", "CH₄"),
        unit="%LEL",
        gas_class="combustible",
        accept_below=10.0,
        limits=(_limit("high", "gas.combustible", "%LEL", 20.0, 1),),
    ),
    c.Quantity(
        id="co",
        names=_names("一氧化碳", "CO"),
        unit="ppm",
        gas_class="toxic",
        accept_below=16.0,
        limits=(_limit("high", "gas.toxic", "ppm", 24.0, 2),),
    ),
    c.Quantity(
        id="o2",
        names=_names("氧气", "O₂"),
        unit="%vol",
        gas_class="oxygen",
        accept_above=19.5,
        accept_below=23.5,
        limits=(
            c.Limit(
                condition="low",
                kind="gas.oxygen",
                unit="%vol",
                below=19.5,
                priority=1,
                life_safety=True,
            ),
            _limit("high", "gas.oxygen", "%vol", 23.5, 2),
        ),
    ),
)

ZONES = (
    c.Zone(
        id="yard",
        names=_names("预制场地", "Yard"),
        level="ground",
        polygon=((2, 20), (58, 20), (58, 35), (2, 35)),
        hazard="lifting",
        neighbours=("pump", "tank"),
    ),
    c.Zone(
        id="pump",
        names=_names("泵房", "Pump house"),
        level="ground",
        polygon=((2, 2), (26, 2), (26, 16), (2, 16)),
        neighbours=("pit", "yard"),
    ),
    c.Zone(
        id="tank",
        names=_names("储罐区", "Tank area"),
        level="ground",
        polygon=((32, 2), (58, 2), (58, 16), (32, 16)),
        hazard="hot",
        neighbours=("yard",),
    ),
    c.Zone(
        id="pit",
        names=_names("污水池", "Wastewater pit"),
        level="below",
        polygon=((4, 3), (22, 3), (22, 11), (26, 11), (26, 16), (4, 16)),
        hazard="confined",
        neighbours=("gallery", "pump"),
    ),
    c.Zone(
        id="gallery",
        names=_names("管廊", "Pipe gallery"),
        level="below",
        polygon=((26, 8), (58, 8), (58, 14), (26, 14)),
        hazard="confined",
        neighbours=("pit",),
    ),
)

PEOPLE = (
    ("p-chen", "陈建国", ("owner", "issuer"), "滨江项目部"),
    ("p-li", "李明", ("safety_officer", "marshal"), "滨江项目部"),
    ("p-wang", "王芳", ("supervisor",), "滨江项目部"),
    ("p-zhao", "赵刚", ("guardian",), "恒安劳务"),
    ("p-sun", "孙伟", ("worker",), "恒安劳务"),
    ("p-zhou", "周涛", ("worker",), "恒安劳务"),
    ("p-wu", "吴磊", ("worker",), "恒安劳务"),
    ("p-zheng", "郑强", ("worker", "maintainer"), "华锐设备"),
)


def site() -> c.Site:
    """Return the place."""
    return c.Site(
        id="riverside",
        names=_names("滨江污水泵站改造", "Riverside pumping station"),
        levels=(
            c.Level(id="ground", names=_names("地面", "Ground"), z_m=0.0),
            c.Level(id="below", names=_names("地下一层", "Below ground"), z_m=-5.0),
        ),
        zones=ZONES,
        muster_points=(
            c.MusterPoint(
                id="muster-a",
                names=_names("A 集合点", "Muster A"),
                level="ground",
                at=(54.0, 32.0),
                zone_id="yard",
            ),
        ),
    )


def bundle() -> c.Bundle:
    """Return the whole bundle."""
    return c.Bundle(
        site=site(),
        quantities=QUANTITIES,
        people=tuple(
            c.Person(id=i, name=n, roles=r, company=k, tags=(f"tag-{i}",))
            for i, n, r, k in PEOPLE
        ),
        permit_kinds=(
            c.PermitKind(
                id="confined",
                names=_names("受限空间作业", "Confined space entry"),
                safe_state="order.leave",
                gases=("h2s", "ch4", "co", "o2"),
                retest=c.Retest(gases=("h2s", "o2")),
                clause="GB 30871",
            ),
            c.PermitKind(
                id="hot",
                names=_names("动火作业", "Hot work"),
                safe_state="order.stop",
                gases=("ch4",),
                retest=c.Retest(gases=("ch4",)),
                clause="GB 30871",
            ),
        ),
        rules=(
            c.Rule(
                id="gas-response",
                names=_names("气体联动", "Gas alarm response"),
                version="1",
                hash="0" * 64,
                life_safety=True,
            ),
        ),
    )


def detector(uid: str, name: str, gases: tuple[str, ...]) -> Device:
    """Return a fixed gas detector."""
    units = {q.id: q.unit for q in QUANTITIES}
    return Device(
        uid=uid,
        name=name,
        manufacturer="Sensepoint",
        entities=tuple(
            Entity(
                uid=gas,
                name=gas,
                kind=EntityKind.GAS,
                quantity=gas,
                unit=units[gas],
                max_age_s=10.0,
                critical=True,
            )
            for gas in gases
        ),
    )


def output(uid: str, name: str, kind: OutputKind) -> Device:
    """Return a relay output."""
    made = Output(kind=kind, ex_rated=True)
    entity = Entity(uid="out", name=name, kind=EntityKind.OUTPUT, output=made)
    return Device(uid=uid, name=name, entities=(entity,))


def tag(person_id: str) -> Device:
    """Return a person's position tag."""
    entity = Entity(uid="at", name="position", kind=EntityKind.LOCATION)
    return Device(uid=f"tag-{person_id}", name=f"UWB {person_id}", entities=(entity,))


#: uid, device, zone, wearer.
DEVICES: tuple[tuple[Device, str | None, str | None], ...] = (
    (detector("gd-pit", "GD-01", ("h2s", "ch4", "co", "o2")), "pit", None),
    (detector("gd-gallery", "GD-02", ("h2s", "ch4")), "gallery", None),
    (detector("gd-tank", "GD-03", ("ch4",)), "tank", None),
    (output("siren-pit", "SIREN-1", OutputKind.SIREN), "pit", None),
    (output("fan-pit", "FAN-1", OutputKind.FAN), "pit", None),
    *((tag(person[0]), None, person[0]) for person in PEOPLE),
)
