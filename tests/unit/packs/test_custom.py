"""A safety lead's own kinds, forms, approvals and reminders, without code.

A verification step is added the same day; running permits keep theirs.
"""

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from automations.publish import compile_checked
from core import texts
from core.api.errors import ConfigError
from core.hub import Hub
from core.permits.pack import FieldType, Form, Pack
from core.permits.packs import Packs
from core.processes.events import ConfigArmed
from tests.support.kernel import make_hub
from tests.unit.packs.test_site import SITE, site
from tests.unit.packs.test_versions import permit

DOCK = """\
pack: {id: dock, version: "1", zh: 码头, en: Dock, source: dock rules}
roles:
  dive_boss: {zh: 潜水主管, en: Dive boss, acts_as: [supervisor]}
  harbour: {zh: 港务, en: Harbour, acts_as: [safety_officer]}
kinds:
  diving:
    zh: 潜水作业
    en: Diving
    family: diving
    clause: dock rule 4
    validity: {hours: 4}
    approvers: [dive_boss, {role: harbour, on_site: false}]
    guardian: {outside: true}
    safe_state: [order.leave]
    form: dive
    reminders:
      late: {of: approval, after_min: 30, to: [next, owner], every_min: 30}
reminders:
  ends: {of: expiry, before_min: 20, to: [lead, workers], channels: [screen, sms]}
rules:
  D1:
    zh: 已签齐
    en: All is signed
    clause: dock rule 5
    applies: [diving]
    phases: [sign, start, resume, close]
    require: signatures_complete
    on_breach: deny
  D2:
    zh: 在有效期内
    en: In time
    clause: dock rule 6
    applies: ["*"]
    phases: [run]
    require: valid_left_min > 0
    on_breach: hold
forms:
  dive:
    zh: 潜水票
    en: Dive permit
    fields:
      what: {type: text, zh: 内容, en: What}
      depth: {type: number, unit: m, low: 0, high: 60, zh: 深度, en: Depth}
      gas: {type: choice, choices: [air, nitrox], zh: 气体, en: Gas}
      photo: {type: photo, repeats: 3, zh: 照片, en: Photo}
      film: {type: video, required: false, zh: 视频, en: Film}
      mark: {type: signature, zh: 签名, en: Mark}
      spot: {type: location, zh: 位置, en: Spot}
      kit: {type: checklist, zh: 装备, en: Kit}
      diver: {type: person, zh: 潜水员, en: Diver}
      tank: {type: device_reading, unit: bar, zh: 气瓶, en: Tank}
      down: {type: time, zh: 下潜时间, en: Down at}
    measures:
      other: {zh: 其他, en: Other, free_text: true}
    signatures:
      boss: {zh: 主管, en: Boss, role: dive_boss, phase: sign}
base: {signatures_complete: true, valid_left_min: 60}
vectors:
  D1:
    - [diving, sign, {signatures_complete: true}, ok]
    - [diving, sign, {signatures_complete: false}, deny]
    - [diving, sign, {signatures_complete: null}, "deny?"]
  D2:
    - [diving, run, {valid_left_min: 1}, ok]
    - [diving, run, {valid_left_min: 0}, hold]
    - [diving, run, {valid_left_min: null}, "hold?"]
"""
STEP = """\
overlay: {id: same-day, pack: dock, version: "2"}
forms:
  dive:
    fields:
      sonar: {type: photo, zh: 声呐图, en: Sonar picture}
    signatures:
      medic: {zh: 医生, en: Medic, role: harbour, phase: start}
"""
PICKED = SITE + "permit_packs: [dock]\n"


def dock(folder: Path, **changed: Any) -> Path:
    """Write the dock's pack beside a site's YAML."""
    target = folder / "custom_packs" / "dock"
    target.mkdir(parents=True, exist_ok=True)
    body = DOCK
    if changed:
        body = yaml.safe_dump({**yaml.safe_load(DOCK), **changed}, allow_unicode=True)
    (target / "pack.yaml").write_text(body, "utf-8")
    return site(folder, PICKED)


def published(folder: Path) -> Pack:
    bundle, _ = compile_checked(folder)
    (pack,) = bundle.packs
    return pack


def form_of(pack: Pack) -> Form:
    form = pack.form("dive")
    assert form is not None
    return form


def arm(hub: Hub, folder: Path) -> None:
    bundle, _ = compile_checked(folder)
    hub.load(bundle)
    hub.emit(ConfigArmed(hash="0" * 64, by="person:li"))


def test_a_kind_with_every_type_of_field(tmp_path: Path) -> None:
    pack = published(dock(tmp_path))
    assert {field.type for field in form_of(pack).fields} == set(get_args(FieldType))
    kind = pack.kind("diving")
    assert kind is not None
    assert [(a.role, a.on_site) for a in kind.approvers] == [
        ("dive_boss", True),
        ("harbour", False),
    ]
    assert [each.id for each in kind.reminders] == ["ends", "late"]
    for each in kind.reminders:
        code = f"notice.permit_reminder.{each.of}"
        said = texts.render(code, {"title": "T", "minutes": 5}, "zh")
        assert "5" in said


def test_a_step_is_added_the_same_day_and_running_permits_keep_theirs(
    tmp_path: Path,
) -> None:
    """One person lays it on; the permit that runs is judged as it was signed."""
    hub = make_hub()
    packs = Packs(hub)
    hub.rooms = [packs]
    arm(hub, dock(tmp_path))
    old = permit(hub, packs.current("diving") or "", "diving")
    arm(
        hub, site(tmp_path, PICKED + "pack_overlays: [overlays/step.yaml]\n", step=STEP)
    )
    ran, now = packs.kind(old), packs.kind((packs.current("diving") or "", "diving"))
    assert ran is not None
    assert now is not None
    assert now.pack.overlays == ("same-day@2",)
    for ruled, new in ((ran, False), (now, True)):
        form = form_of(ruled.pack)
        assert ("medic" in {slot.id for slot in form.signatures}) is new
        assert ("sonar" in {field.id for field in form.fields}) is new


@pytest.mark.parametrize(
    ("reminder", "mend"),
    [
        ({"of": "expiry", "after_min": 5, "to": ["lead"]}, "needs before_min"),
        ({"of": "start", "before_min": 5, "to": ["lead"]}, "needs after_min"),
        ({"of": "start", "after_min": 5, "to": []}, "whom to tell"),
        ({"of": "start", "after_min": 5, "to": ["boss"]}, "'boss' is nobody"),
        ({"of": "start", "after_min": 5, "to": ["lead"], "every_min": 0}, "a minute"),
        ({"of": "dawn", "after_min": 5, "to": ["lead"]}, "dawn"),
        ({"of": "start", "after_min": 5, "to": ["lead"], "loud": 1}, "'loud'"),
    ],
)
def test_a_wrong_reminder_names_its_place(
    tmp_path: Path, reminder: dict[str, Any], mend: str
) -> None:
    folder = dock(tmp_path, reminders={"mine": reminder})
    with pytest.raises(ConfigError) as caught:
        compile_checked(folder)
    assert "custom_packs/dock/pack.yaml:" in str(caught.value)
    assert "mine" in str(caught.value)
    assert mend in str(caught.value)


@pytest.mark.parametrize(
    ("section", "broken", "mend"),
    [
        ("roles", {}, "no role 'dive_boss'"),
        ("forms", {}, "no form 'dive'"),
        ("rules", {}, "no rule guards the phase"),
        ("vectors", {}, "no vector for"),
        ("settings", {"x": {"zh": "a", "en": "b", "value": 3, "high": 2}}, "outside"),
        ("drones", {"x": 1}, "unknown section 'drones'"),
    ],
)
def test_a_broken_pack_is_refused_whole(
    tmp_path: Path, section: str, broken: dict[str, Any], mend: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        compile_checked(dock(tmp_path, **{section: broken}))
    assert str(caught.value).startswith(f"{tmp_path}/custom_packs/dock/pack.yaml:")
    assert mend in str(caught.value)


def test_a_pack_must_fit_the_journal(tmp_path: Path) -> None:
    """It is one event, and passes a frame of the link."""
    many = {
        f"m{number}": {"zh": "长" * 200, "en": "long " * 100, "free_text": True}
        for number in range(700)
    }
    form = {**yaml.safe_load(DOCK)["forms"]["dive"], "measures": many}
    with pytest.raises(ConfigError) as caught:
        compile_checked(dock(tmp_path, forms={"dive": form}))
    assert f"{tmp_path}/site.yaml:12:" in str(caught.value)
    assert "part it" in str(caught.value)
