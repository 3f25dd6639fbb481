"""Overlays and differences: tightening passes, loosening takes two."""

from pathlib import Path

import pytest

from automations.packs.command import main
from automations.packs.compile import SHIPPED, find, load
from automations.packs.overlay import assemble
from core.api.errors import ConfigError
from core.permits.pack_diff import compare
from core.permits.ways import Way, loosened

OSHA = find("us-osha")
NFPA = SHIPPED / "overlays" / "nfpa-51b.yaml"
HEAD = "overlay: {id: yard, pack: us-osha}\n"
TWO = "overlay: {id: yard, pack: us-osha, loosened_by: [zhang, li]}\n"


def write(folder: Path, text: str) -> Path:
    file = folder / "yard.yaml"
    file.write_text(text, "utf-8")
    return file


TIGHT = [
    "settings: {fire_watch_min: {value: 60}}",
    "settings: {test_age_min: {value: 10}}",
    "kinds: {welding: {guardian: {required: true}}}",
    "kinds: {welding: {retention_days: 1000}}",
    "kinds: {permit-space: {gas: {gases: [oxygen, combustible, toxic, co]}}}",
    "kinds: {permit-space: {gas: {continuous: true, record_every_min: 60}}}",
    "kinds: {welding: {approvers: [pai, entry_supervisor]}}",
    "kinds: {welding: {test: combustibles_m > 5}}",
    "rules: {V2: {require: fire_watch_present and combustibles_m > 3}}",
    "rules: {V1: {require: combustibles_m >= 11}}",
    "rules: {V3: {when: fire_watch_needed or outdoors}}",
    "rules: {U12: {on_breach: evacuate}}",
    "rules: {U2: {applies: ['*']}}",
    "limits: {co: {twa: 25}}",
    "limits: {o2: {high_vol: 22}}",
    "distances: {hot-combustibles: {metres: 15}}",
    "forms: {hot: {fields: {wind: {type: number, unit: m/s, zh: 风, en: Wind}}}}",
    "forms: {hot: {signatures: {third: {zh: 三, en: Third, role: pai, phase: close}}}}",
    "roles: {pai: {acts_as: [safety_officer]}}",
]
LOOSE = [
    "settings: {fire_watch_min: {value: 30.5, tighter: lower}}",
    "settings: {test_age_min: {value: 45}}",
    "kinds: {permit-space: {guardian: {outside: false}}}",
    "kinds: {permit-space: {gas: {gases: [oxygen]}}}",
    "kinds: {permit-space: {gas: {age_start_min: 60}}}",
    "kinds: {permit-space: {gas: {when: outdoors}}}",
    "kinds: {permit-space: {safe_state: [order.stop]}}",
    "kinds: {welding: {approvers: [entry_supervisor]}}",
    "kinds: {welding: {reaction_s: 300}}",
    "kinds: {hot-easy: {like: welding, zh: 易, en: Easy}}",
    "rules: {V1: {require: combustibles_m >= 5}}",
    "rules: {V1: {when: outdoors}}",
    "rules: {V3: {when: fire_watch_needed and outdoors}}",
    "rules: {U3: {on_breach: hold}}",
    "rules: {U3: {on_unknown: hold}}",
    "rules: {U2: {phases: [sign]}}",
    "limits: {co: {twa: 100}}",
    "limits: {ch4: {lel_vol: 4.4}}",
    "limits: {ch4: {accept_vol: 0.6}}",
    "distances: {hot-combustibles: {metres: 5}}",
    "distances: {hot-combustibles: {unless: x}}",
    "roles: {pai: {acts_as: [issuer, safety_officer, worker]}}",
]


@pytest.mark.parametrize("text", TIGHT)
def test_one_person_may_tighten(tmp_path: Path, text: str) -> None:
    made = assemble(OSHA, [write(tmp_path, f"{HEAD}{text}\n")])
    (laid,) = made.laid
    assert {change.way for change in laid.changes} == {Way.TIGHTER}
    assert made.pack.overlays == ("yard@1",)


@pytest.mark.parametrize("text", LOOSE)
def test_loosening_takes_two_persons(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"yard\.yaml:2:.* loosens ") as caught:
        assemble(OSHA, [write(tmp_path, f"{HEAD}{text}\n")])
    assert "two persons" in str(caught.value)
    made = assemble(OSHA, [write(tmp_path, f"{TWO}{text}\n")])
    assert loosened(made.laid[0].changes)
    assert made.laid[0].overlay.loosened_by == ("zhang", "li")


@pytest.mark.parametrize("who", ["[zhang]", "[zhang, zhang]", "[zhang, ' ']", "[]"])
def test_two_means_two_different_persons(tmp_path: Path, who: str) -> None:
    text = f"overlay: {{id: y, pack: us-osha, loosened_by: {who}}}\n{LOOSE[1]}\n"
    with pytest.raises(ConfigError, match="two persons"):
        assemble(OSHA, [write(tmp_path, text)])


def test_the_two_are_people_of_the_site(tmp_path: Path) -> None:
    file = write(tmp_path, f"{TWO}{LOOSE[1]}\n")
    assert assemble(OSHA, [file], frozenset({"zhang", "li", "wu"})).laid
    with pytest.raises(ConfigError, match="nobody of this site: li"):
        assemble(OSHA, [file], frozenset({"zhang", "wu"}))


def test_an_overlay_that_takes_back_another_loosens(tmp_path: Path) -> None:
    back = write(tmp_path, f"{HEAD}settings: {{fire_watch_min: {{value: 30}}}}\n")
    with pytest.raises(ConfigError, match=r"loosens 60\.0 to 30"):
        assemble(OSHA, [NFPA, back])


def test_an_overlay_of_another_pack_or_without_a_head_is_refused(
    tmp_path: Path,
) -> None:
    with pytest.raises(ConfigError, match="lies on 'us-osha', the pack is"):
        assemble(find("cn-construction"), [NFPA])
    with pytest.raises(ConfigError, match=r"yard\.yaml:1:1"):
        assemble(OSHA, [write(tmp_path, "settings: {}\n")])


def test_a_broken_overlay_names_its_own_place(tmp_path: Path) -> None:
    file = write(tmp_path, f"{HEAD}rules:\n  V1:\n    require: combustibls_m > 1\n")
    with pytest.raises(ConfigError, match=r"yard\.yaml:4:14: combustibls_m is not"):
        assemble(OSHA, [file])


def test_a_pack_is_the_same_as_itself_and_words_do_not_count(tmp_path: Path) -> None:
    pack = load(OSHA)
    assert compare(pack, pack) == []
    made = assemble(OSHA, [write(tmp_path, f"{HEAD}rules: {{V1: {{en: Other}}}}\n")])
    assert {change.way for change in made.laid[0].changes} == {Way.SAME}


def test_removing_is_loosening() -> None:
    old, new = load(find("cn-hazchem")), load(OSHA)
    ways = {change.path: change.way for change in compare(old, new)}
    assert ways["rules.H9"] is Way.LOOSER
    assert ways["kinds.confined"] is Way.LOOSER
    assert ways["rules.U3"] is Way.TIGHTER
    assert ways["limits.petrol"] is Way.LOOSER


# --- the command ----------------------------------------------------------------


def test_list_check_test_and_diff(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--language", "en", "list"]) == 0
    assert "cn-hazchem 1.0.0" in capsys.readouterr().out
    assert main(["check", "us-osha", "--overlay", str(NFPA)]) == 0
    assert "nfpa-51b" in capsys.readouterr().out
    assert main(["--language", "en", "test", "us-osha"]) == 0
    assert "all passed" in capsys.readouterr().out
    assert main(["--language", "zh", "test", "us-osha", "--overlay", str(NFPA)]) == 0
    assert "全部通过" in capsys.readouterr().out
    assert main(["--language", "en", "diff", "us-osha", str(NFPA)]) == 0
    assert "tighter settings.fire_watch_min" in capsys.readouterr().out


def test_the_command_fails_with_a_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loose = write(tmp_path, f"{HEAD}{LOOSE[1]}\n")
    assert main(["--language", "en", "diff", "us-osha", str(loose)]) == 1
    assert "LOOSER settings.test_age_min.value: 30.0 → 45" in capsys.readouterr().out
    assert main(["check", "us-osha", "--overlay", str(loose)]) == 2
    assert "yard.yaml:2" in capsys.readouterr().err
    assert main(["check", "nowhere"]) == 2
    wrong = write(tmp_path, f"{HEAD}settings: {{fire_watch_min: {{value: 90}}}}\n")
    assert main(["--language", "en", "test", "us-osha", "--overlay", str(wrong)]) == 1
    assert "failed" in capsys.readouterr().out
