"""How far a site is left, and the drills it holds, as its files say."""

from pathlib import Path

import pytest

from automations.publish import compile_checked
from core.api.errors import ConfigError
from core.config import Bundle
from core.site.leaving import Attack, Scope

SITE = """\
site: {{id: s, names: S, clear_after: 2min, leave: {{neighbours: true, levels: gas}}}}
levels: [{{id: g, names: G}}]
zones:
  - {{id: pit, names: Pit, level: g, polygon: [[0, 0], [1, 0], [1, 1]], leave: {leave}}}
  - {{id: yard, names: Yard, level: g, polygon: [[1, 0], [2, 0], [2, 1]]}}
muster_points: [{{id: gate, names: Gate, level: g, at: [2, 1]}}]
people: [{{id: fang, name: Fang, roles: [worker]}}]
drills:
  - {{id: d, names: D, zones: {zones}, every: 180d, attacks: [{attack}]}}
"""
GOOD = "{kind: person_hidden, at: 30s, person: fang}"


def compiled(folder: Path, **given: str) -> Bundle:
    """Compile the site with some parts changed."""
    parts = {"leave": "{zones: [yard]}", "zones": "[pit]", "attack": GOOD}
    (folder / "site.yaml").write_text(SITE.format(**{**parts, **given}), "utf-8")
    return compile_checked(folder)[0]


def test_it_is_compiled_as_it_is_written(tmp_path: Path) -> None:
    site = compiled(tmp_path).site
    assert site.leave == Scope(neighbours=True, levels="gas")
    assert site.clear_s == 120.0
    assert site.zones[0].leave == Scope(zones=("yard",))
    assert site.zones[1].leave is None
    (drill,) = site.drills
    assert (drill.every_d, drill.target_s, drill.target_share) == (180.0, 600.0, 90.0)
    assert drill.attacks == (Attack(kind="person_hidden", at_s=30.0, person="fang"),)


@pytest.mark.parametrize(
    ("part", "text", "said"),
    [
        ("leave", "{zones: [moon]}", "'moon' is no zone"),
        ("leave", "{levels: sideways}", "leave.levels"),
        ("zones", "[moon]", "'moon' is no zone"),
        ("zones", "[]", "name a zone"),
        ("attack", "{kind: person_hidden}", "'' is no person"),
        ("attack", "{kind: muster_blocked, muster: moon}", "'moon' is no muster"),
        ("attack", "{kind: second_alarm, zone: moon}", "'moon' is no zone"),
        ("attack", "{kind: flood}", "kind"),
    ],
)
def test_a_mistake_is_named_with_its_place(
    tmp_path: Path, part: str, text: str, said: str
) -> None:
    with pytest.raises(ConfigError) as told:
        compiled(tmp_path, **{part: text})
    assert said in str(told.value)
    assert "site.yaml:" in str(told.value)
