"""The plan names the hazards that works must not come near."""

from pathlib import Path

import pytest

from automations import schema_site
from automations.compile_site import compile_folder
from automations.hazards import with_hazards
from automations.packs.compile import find, load
from core.api.documents import read
from core.api.errors import ConfigError
from core.config import Level, Names, Site, Zone
from core.geometry.shapes import Disc, Hazard, Line, Polygon

SITE = """\
site: {id: s, names: {zh: 工地, en: Site}}
levels: [{id: ground, names: {zh: 地面, en: Ground}}]
zones:
  - {id: yard, names: {zh: 场地, en: Yard}, level: ground,
     polygon: [[0, 0], [100, 0], [100, 60], [0, 60]]}
permit_packs: [cn-hazchem]
"""
PLAN = """\
hazards:
  - {id: pump-7, kind: leak_capable, level: ground, at: [12, 30], radius: 1.5, high: 4}
  - {id: rail, kind: hazchem_train, level: ground, line: [[0, 55], [100, 55]], width: 3}
  - {id: tanks, kind: dyke, level: ground, polygon: [[40, 0], [90, 0], [90, 40]]}
"""

ZONE = ((0.0, 0.0), (100.0, 0.0), (100.0, 60.0), (0.0, 60.0))
NAMES = Names(zh="场地", en="Yard")
HERE = Site(
    id="s",
    names=NAMES,
    levels=(Level(id="ground", names=NAMES),),
    zones=(Zone(id="yard", names=NAMES, level="ground", polygon=ZONE),),
)
PACKS = (load(find("cn-hazchem")),)


def folder(tmp_path: Path, plan: str) -> Path:
    (tmp_path / "site.yaml").write_text(SITE, "utf-8")
    (tmp_path / "plan.yaml").write_text(plan, "utf-8")
    return tmp_path


def test_hazards_are_compiled_into_the_bundle(tmp_path: Path) -> None:
    assert compile_folder(folder(tmp_path, PLAN)).site.hazards == (
        Hazard(
            id="pump-7",
            kind="leak_capable",
            level="ground",
            shape=Disc(at=(12.0, 30.0), radius_m=1.5),
            z_high_m=4.0,
        ),
        Hazard(
            id="rail",
            kind="hazchem_train",
            level="ground",
            shape=Line(points=((0.0, 55.0), (100.0, 55.0)), width_m=3.0),
        ),
        Hazard(
            id="tanks",
            kind="dyke",
            level="ground",
            shape=Polygon(points=((40.0, 0.0), (90.0, 0.0), (90.0, 40.0))),
        ),
    )


@pytest.mark.parametrize(
    ("good", "bad", "line", "said"),
    [
        ("leak_capable", "leak_capabel", 2, "known: "),
        ("level: ground, at", "level: roof, at", 2, "is no level of this site"),
        ("at: [12, 30]", "at: [12, 3000]", 2, "far outside the zones"),
        (
            "at: [12, 30], radius",
            "line: [[0, 0], [1, 1]], at: [1, 2], radius",
            2,
            "one of",
        ),
        ("[[0, 55], [100, 55]]", "[[0, 55]]", 3, "at least two points"),
        ("[[0, 55], [100, 55]]", "[[0, 55], [0, 55]]", 3, "more points that differ"),
        ("id: tanks", "id: rail", 4, "stands twice"),
        ("radius: 1.5", "radius: .nan", 2, "finite"),
        ("radius: 1.5", "radius: -1", 2, "radius"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, good: str, bad: str, line: int, said: str
) -> None:
    """A kind that no distance names would protect nothing: it is refused."""
    assert good in PLAN
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN.replace(good, bad, 1) + SITE, "utf-8")
    document = read(file, file.name)
    with pytest.raises(ConfigError) as told:
        with_hazards(document, document.check(schema_site.SITE), HERE, PACKS)
    assert said in str(told.value)
    assert f"plan.yaml:{line}:" in str(told.value), str(told.value)
