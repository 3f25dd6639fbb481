"""``safehold pack`` says of a site what its bundle holds."""

from pathlib import Path

import msgspec
import pytest

from automations.packs.command import main
from automations.publish import compile_checked, store
from core import config
from tests.unit.packs.test_custom import PICKED, STEP, dock
from tests.unit.packs.test_site import site


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["--language", "en", *words])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_a_site_s_own_packs_are_listed_checked_and_tested(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    laid = PICKED + "pack_overlays: [overlays/step.yaml]\n"
    site(dock(tmp_path), laid, step=STEP)
    at = ("--site", str(tmp_path))
    code, out, _ = run(capsys, "list", *at)
    assert (code, out.splitlines()[0][:6]) == (0, "dock 1")
    code, out, _ = run(capsys, "check", *at)
    assert code == 0
    assert "overlay same-day: 2 changes, 0 loosened" in out
    code, out, _ = run(capsys, "test", *at, "dock")
    assert (code, out.splitlines()[-1]) == (0, "all passed")
    code, _, err = run(capsys, "test", *at, "us-osha")
    assert code == 2
    assert "do not pick 'us-osha'; they pick dock" in err


def test_a_broken_pack_of_a_site_is_refused_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dock(tmp_path)
    file = tmp_path / "custom_packs" / "dock" / "pack.yaml"
    text = file.read_text("utf-8")
    line = text[: text.index("require: valid")].count("\n") + 1
    file.write_text(text.replace("valid_left_min > 0", "valid_left > 0"), "utf-8")
    code, _, err = run(capsys, "check", "--site", str(tmp_path))
    assert code == 2
    assert err.startswith(f"{tmp_path}/custom_packs/dock/pack.yaml:{line}:")
    assert "dock rule 6" in err


def test_published_bundles_are_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a bundle loosens is what the hub will ask two persons for."""
    bundle, data = compile_checked(dock(tmp_path))
    (kind,) = bundle.packs[0].kinds
    easier = msgspec.structs.replace(kind, reaction_s=300.0)
    pack = msgspec.structs.replace(bundle.packs[0], kinds=(easier,))
    other = config.dump(msgspec.structs.replace(bundle, packs=(pack,)))
    names = [
        str(tmp_path / "bundles" / f"{store(each, tmp_path)}.bundle")
        for each in (data, other)
    ]
    code, out, _ = run(capsys, "diff", *names)
    assert code == 1
    assert "two persons sign: permit pack dock: kinds.diving.reaction_s" in out
    assert run(capsys, "diff", *reversed(names))[0] == 0
    Path(names[0]).write_bytes(b"\xc1")
    assert run(capsys, "diff", *names)[0] == 2
