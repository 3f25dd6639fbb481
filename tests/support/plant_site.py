"""The YAML of the plant of `tests.support.plant`: its place, people and devices."""

from datetime import datetime, timedelta

from tests.support.yard import ROLES

OWNER = "eve"
METER, CAMERA = "meter-tank", "cam-tank"
CREW = {**ROLES, OWNER: ("owner",)}
_SITE = """\
site: {{id: works, names: {{zh: 示范装置, en: Works}}, time_zone: {zone}, clear_after: 1s}}
calendar:
  known: {{from: "{known_from}", to: "{known_to}"}}
  holidays: [{{names: 节日, from: "{today}", to: "{today}"}}]
permit_packs: [basic, cn-hazchem]
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


def site_yaml(now: datetime) -> str:
    """Return the site's YAML; there it is about ten in the morning of a holiday."""
    east = 10 - now.hour
    east += 24 if east < -12 else 0
    today = (now + timedelta(hours=east)).date()
    text = _SITE.format(
        zone=f"Etc/GMT{-east:+d}" if east else "Etc/GMT",
        today=today,
        known_from=today - timedelta(days=30),
        known_to=today + timedelta(days=30),
    )
    rows = [
        f"  - {{id: {p}, name: {p}, roles: [{', '.join(r)}], company: 总包,"
        f" tags: [tag-{p}]}}"
        for p, r in CREW.items()
    ]
    return text + "\n".join(["people:", *rows]) + "\n"


def devices_yaml() -> str:
    """Return what hangs where: everybody wears a tag, the tank has a meter."""
    worn = [f"  - {{integration: field, uid: tag-{p}, person: {p}}}" for p in CREW]
    rest = [
        f"  - {{integration: field, uid: {METER}, zone: tank,"
        " lost: 24s, max_age: 24s}",
        f"  - {{integration: field, uid: {CAMERA}, zone: tank}}",
    ]
    return "\n".join(["devices:", *worn, *rest]) + "\n"
