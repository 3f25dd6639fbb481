"""A site picks packs, lays overlays on, writes its own."""

import shutil
from pathlib import Path

import pytest

from automations.compile_site import compile_folder
from automations.packs.compile import SHIPPED, shipped
from automations.publish import compile_checked
from core import config
from core.api.errors import ConfigError

SITE = """\
site: {id: s1, names: {zh: 一号, en: One}}
levels:
  - {id: ground, names: 地面}
zones:
  - id: tank
    names: {zh: 罐, en: Tank}
    level: ground
    polygon: [[0, 0], [4, 0], [4, 4]]
people:
  - {id: li, name: Li, roles: [owner]}
  - {id: wu, name: Wu, roles: [safety_officer]}
"""
ALL = SITE + "permit_packs: [basic, cn-hazchem, cn-construction, us-osha]\n"
TIGHT = """\
overlay: {id: yard, pack: us-osha, reason: our own standard}
settings: {fire_watch_min: {value: 60}}
vectors:
  V3:
    - [welding, close, {fire_watch_min: 60}, ok]
    - [welding, close, {fire_watch_min: 59.9}, deny]
    - [welding, close, {fire_watch_min: null}, "deny?"]
"""


def site(folder: Path, text: str, **files: str) -> Path:
    (folder / "site.yaml").write_text(text, "utf-8")
    for name, body in files.items():
        file = folder / "overlays" / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(body, "utf-8")
    return folder


def refused(folder: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        compile_checked(folder)
    return str(caught.value)


def test_all_packs_stand_in_one_bundle(tmp_path: Path) -> None:
    """Kind ids are the site's own; each kind has its standing interlocks."""
    bundle, data = compile_checked(site(tmp_path, ALL))
    assert config.load(data) == bundle
    assert [pack.id for pack in bundle.packs] == list(
        ("cn-hazchem", "cn-construction", "us-osha")
    )
    ready = {kind.id for pack in bundle.packs for kind in pack.kinds}
    kinds = {kind.id: kind for kind in bundle.permit_kinds}
    assert len(ready) >= 20
    assert set(kinds) == ready | {
        "confined-space",
        "hot-work",
        "height-work",
        "lifting",
    }
    assert kinds["confined"].gases == ("oxygen", "combustible", "toxic")
    assert kinds["hot-2"].gases == ()
    assert kinds["hot-2"].retest.gases == ("combustible",)
    assert kinds["dig"].retest.gases == ()


def test_ready_packs_are_at_least_twenty_with_the_eight_works() -> None:
    """With the eight special works at least 20 ready ones."""
    from automations.packs.compile import find, load

    kinds = [kind for name in shipped() for kind in load(find(name)).kinds]
    families = {kind.family for kind in load(find("cn-hazchem")).kinds}
    assert len(families) == 8
    assert len({kind.id for kind in kinds}) == len(kinds) >= 20


def test_a_site_that_picks_nothing_has_the_plain_kinds(tmp_path: Path) -> None:
    bundle = compile_folder(site(tmp_path, SITE))
    assert bundle.packs == ()
    assert len(bundle.permit_kinds) == 4
    bundle = compile_folder(site(tmp_path, SITE + "permit_packs: [us-osha]\n"))
    assert "lifting" not in {kind.id for kind in bundle.permit_kinds}


def test_overlays_of_the_site_and_of_the_hub_are_laid_on(tmp_path: Path) -> None:
    text = SITE + (
        "permit_packs: [us-osha]\npack_overlays: [overlays/yard.yaml, nfpa-51b]\n"
    )
    bundle, _ = compile_checked(site(tmp_path, text, yard=TIGHT))
    (pack,) = bundle.packs
    assert pack.overlays == ("yard@1", "nfpa-51b@2019")
    setting = pack.setting("fire_watch_min")
    assert setting is not None
    assert setting.value == 60


def test_a_looser_overlay_names_file_line_clause_and_two_persons(
    tmp_path: Path,
) -> None:
    text = SITE + "permit_packs: [us-osha]\npack_overlays: [overlays/yard.yaml]\n"
    loose = (
        "overlay: {id: yard, pack: us-osha, loosened_by: [li, ghost]}\n"
        "rules:\n  V1:\n    require: combustibles_m >= 5\n"
    )
    said = refused(site(tmp_path, text, yard=loose))
    assert said.startswith(f"{tmp_path}/overlays/yard.yaml:4:")
    assert "29 CFR 1910.252" in said
    assert "names nobody of this site: ghost" in said


def test_a_failing_vector_refuses_the_bundle_with_its_place(tmp_path: Path) -> None:
    text = SITE + "permit_packs: [us-osha]\npack_overlays: [overlays/yard.yaml]\n"
    wrong = TIGHT.replace("59.9}, deny]", "59.9}, ok]")
    said = refused(site(tmp_path, text, yard=wrong))
    assert said.startswith(f"{tmp_path}/overlays/yard.yaml:6:")
    assert "V3" in said


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("permit_packs: [cn-hazmat]\n", "site.yaml:12:16: permit_packs.0: there is no"),
        ("permit_packs: [us-osha, us-osha]\n", "a pack stands twice"),
        ("permit_packs: [overlays]\n", "there is no permit pack 'overlays'"),
        (
            "pack_overlays: [overlays/yard.yaml]\n",
            "site.yaml:12:17: pack_overlays.0: overlays/yard.yaml lies on 'us-osha'",
        ),
        (
            "permit_packs: [us-osha]\npack_overlays: [../yard.yaml]\n",
            "site.yaml:13:17: pack_overlays.0: there is no overlay '../yard.yaml'",
        ),
        (
            "permit_packs: [cn-hazchem]\npermit_kinds:\n"
            "  - {id: confined, names: x, safe_state: leave}\n",
            "'confined' of cn-hazchem stands in permit_kinds too",
        ),
    ],
)
def test_a_wrong_choice_names_its_place(tmp_path: Path, text: str, mend: str) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (tmp_path / "yard.yaml").write_text(TIGHT, "utf-8")
    assert mend in refused(site(folder, SITE + text, yard=TIGHT))


def own_pack(folder: Path, name: str) -> Path:
    target = folder / "custom_packs" / name
    shutil.copytree(SHIPPED / "us-osha", target)
    for file in target.glob("*.yaml"):
        said = file.read_text("utf-8").replace("id: us-osha", f"id: {name}")
        file.write_text(said, "utf-8")
    return target


def test_a_pack_of_the_site_s_own(tmp_path: Path) -> None:
    """A folder beside the site's YAML is a pack like any other."""
    own_pack(tmp_path, "yard")
    bundle, _ = compile_checked(site(tmp_path, SITE + "permit_packs: [yard]\n"))
    assert [pack.id for pack in bundle.packs] == ["yard"]
    said = refused(site(tmp_path, SITE + "permit_packs: [us-osha, yard]\n"))
    assert "'permit-space' of yard stands in us-osha too" in said


def test_a_pack_may_not_bear_another_s_name(tmp_path: Path) -> None:
    own_pack(tmp_path, "us-osha")
    said = refused(site(tmp_path, SITE + "permit_packs: [us-osha]\n"))
    assert "custom_packs/us-osha has the name of a pack of the hub" in said
    own_pack(tmp_path, "yard").rename(tmp_path / "custom_packs" / "berth")
    said = refused(site(tmp_path, SITE + "permit_packs: [berth]\n"))
    assert "custom_packs/berth/pack.yaml says id 'yard'" in said


def test_a_broken_own_pack_names_file_line_and_clause(tmp_path: Path) -> None:
    pack = own_pack(tmp_path, "yard")
    rules = pack / "rules.yaml"
    said = rules.read_text("utf-8")
    at = said.index("require:")
    line = said[:at].count("\n") + 1
    broken = said.replace("require: ", "require: gaz_tested and ", 1)
    rules.write_text(broken, "utf-8")
    told = refused(site(tmp_path, SITE + "permit_packs: [yard]\n"))
    assert told.startswith(f"{tmp_path}/custom_packs/yard/rules.yaml:{line}:")
    assert "gaz_tested" in told
    assert "29 CFR" in told
