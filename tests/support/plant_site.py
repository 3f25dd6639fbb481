"""The YAML of the plant of `tests.support.plant`: its place, people and devices."""

import json
from pathlib import Path

from tests.support.plant_time import SiteDay
from tests.support.yard import ROLES

OWNER = "eve"
METER, CAMERA = "meter-tank", "cam-tank"
CREW = {**ROLES, OWNER: ("owner",), "gus": ("guardian",)}
_SITE = """\
site: {{id: works, names: {{zh: 示范装置, en: Works}}, time_zone: {zone}, clear_after: 1s}}
calendar:
  known: {{from: "{known_from}", to: "{known_to}"}}
  rest_days: []
  holidays: [{holiday}]
permit_packs: [basic, cn-hazchem]
pack_overlays: [overlays/{overlay}]
levels:
  - {{id: ground, names: 地面, z: 0}}
  - {{id: upper, names: 平台, z: 5}}
zones:
  - id: tank
    names: {{zh: 一号罐, en: Tank 1}}
    level: ground
    hazard: confined
    polygon: [[2, 2], [6, 2], [6, 6], [2, 6]]
    neighbours: [yard]
  - {{id: yard, names: 场地, level: ground, polygon: [[0, 0], [20, 0], [20, 20], [0, 20]]}}
  - {{id: gate, names: 大门, level: ground, polygon: [[40, 0], [45, 0], [45, 5], [40, 5]]}}
muster_points:
  - {{id: m-gate, names: 大门, level: ground, at: [42, 2], zone: gate}}
quantities:
  - id: h2s
    names: {{zh: 硫化氢, en: H2S}}
    unit: ppm
    gas_class: toxic
    accept_below: 5
    limits: [{{condition: high, kind: gas.toxic, unit: ppm, above: 10, priority: 1, life_safety: true}}]
  - id: lel
    names: {{zh: 甲烷, en: Methane}}
    unit: "%LEL"
    gas_class: combustible
    lel_vol: 5.0
    accept_below: 5
    limits: [{{condition: high, kind: gas.combustible, unit: "%LEL", above: 20, priority: 1, life_safety: true}}]
  - id: o2
    names: {{zh: 氧气, en: Oxygen}}
    unit: "%vol"
    gas_class: oxygen
    accept_above: 19.5
    accept_below: 23.5
    limits: [{{condition: low, kind: gas.oxygen, unit: "%vol", below: 19.5, priority: 1, life_safety: true}}]
"""  # noqa: E501 - a row of the table is a row
EXCHANGE = """\
company: {name: 总包, code: '91330100MA00000000'}
position: {longitude: 120.153576, latitude: 30.287459}
mobile: '13800000000'
cards: {ann: {name: 焊接与热切割作业, number: T3301-0001}}
platform:
  tickets: http://127.0.0.1:PORT/tickets
  alarms: http://127.0.0.1:PORT/alarms
  first_retry_s: 0.5
  retry_cap_s: 5
"""


_HOLIDAY = "{{names: 节日, from: '{day}', to: '{day}'}}"
#: What takes hours in the law runs out within seconds here: shorter is tighter. Only
#: the hours of the night have no direction, so two persons answer for them.
_TIGHT = """\
overlay:
  id: hours-as-seconds
  pack: cn-hazchem
  reason: every clock of the law runs out in one day of the suite
  loosened_by: [sam, ivy]
settings: {night_from_h: {value: 24}}
kinds:
  hot-special: {gas: {retest_gap_min: 0.5, age_start_min: 1}}
  confined: {gas: {retest_gap_min: 0.5, record_every_min: 0.4}}
base: {gas_age_min: 0.5, gas_record_age_min: 0.1}
vectors:
  H5c:
    - [hot-special, start, {gas_age_min: 1}, ok]
    - [hot-special, start, {gas_age_min: 1.1}, deny]
    - [hot-special, start, {gas_age_min: null}, "deny?"]
  H6:
    - [hot-special, resume, {break_min: 0.6, gas_retested: false}, deny]
    - [hot-special, resume, {break_min: 0.6, gas_retested: true}, ok]
    - [hot-special, resume, {break_min: 0.5, gas_retested: false}, ok]
    - [hot-special, resume, {break_min: 0.6, gas_retested: null}, "deny?"]
    - [confined, resume, {break_min: 0.6, gas_retested: false}, deny]
  H8b:
    - [confined, run, {gas_record_age_min: 0.4}, ok]
    - [confined, run, {gas_record_age_min: 0.5}, hold]
    - [confined, run, {gas_record_age_min: null}, "hold?"]
"""
_OVERLAY = "hours-as-seconds.yaml"


def site_yaml(day: SiteDay) -> str:
    """Return the site's YAML, by the zone and the holiday that it has now."""
    text = _SITE.format(
        zone=day.zone,
        holiday=_HOLIDAY.format(day=day.date) if day.holiday else "",
        known_from=day.from_now(-30),
        known_to=day.from_now(30),
        overlay=_OVERLAY,
    )
    rows = [
        f"  - {{id: {p}, name: {p}, roles: [{', '.join(r)}], company: 总包,"
        f" tags: [tag-{p}]}}"
        for p, r in CREW.items()
    ]
    return text + "\n".join(["people:", *rows]) + "\n"


def write(folder: Path, day: SiteDay, door: Path, places: dict[str, str]) -> None:
    """Write the site's configuration folder."""
    (folder / "overlays").mkdir(parents=True, exist_ok=True)
    (folder / "overlays" / _OVERLAY).write_text(_TIGHT, "utf-8")
    (folder / "site.yaml").write_text(site_yaml(day), "utf-8")
    (folder / "devices.yaml").write_text(devices_yaml(), "utf-8")
    options = {
        "door": str(door),
        "places": places,
        "gas": {"h2s": 0.0, "lel": 0.0, "o2": 20.9},
        "meter": METER,
        "camera": CAMERA,
    }
    field = {
        "id": "field",
        "integration": "tests.support.fieldwork",
        "options": options,
    }
    text = json.dumps({"integrations": [field]})
    (folder / "integrations.yaml").write_text(text, "utf-8")


def devices_yaml() -> str:
    """Return what hangs where: everybody wears a tag, the tank has a meter."""
    # The law waits for a lost guardian from when the last fix is too old to count.
    age = dict.fromkeys(CREW, "") | {"gus": ", max_age: 20s"}
    worn = [
        f"  - {{integration: field, uid: tag-{p}, person: {p}{age[p]}}}" for p in CREW
    ]
    rest = [
        f"  - {{integration: field, uid: {METER}, zone: tank,"
        " lost: 24s, max_age: 24s}",
        f"  - {{integration: field, uid: {CAMERA}, zone: tank}}",
    ]
    return "\n".join(["devices:", *worn, *rest]) + "\n"
