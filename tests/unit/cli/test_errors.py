"""The command line for a tired user: what is wrong, where, and the mend."""

import os
import stat
from pathlib import Path

import pytest

from core.cli import COMMANDS, main


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """Return all that a command wrote."""
    out, err = capsys.readouterr()
    return out + err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = said(capsys)
    assert all(f"  {name} " in text for name in COMMANDS)
    assert main([]) == 0


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_explains_itself(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"safehold {name}" in said(capsys)


def test_unknown_command_names_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["nonsense"]) == 2
    assert "'nonsense'" in (text := said(capsys))
    assert "verify" in text


@pytest.mark.parametrize("name", ["status", "stop", "restart"])
def test_no_hub_is_told_from_no_folder(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["core"] if name == "restart" else []
    assert main([name, "--data", str(tmp_path), *more]) == 3
    assert f"'safehold run --data {tmp_path}' starts it" in said(capsys)
    assert main([name, "--data", str(tmp_path / "typo"), *more]) == 3
    assert "there is no such data folder" in said(capsys)


def test_power_end_without_a_hub(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stop", "--data", str(tmp_path), "--power-end", "5"]) == 3
    assert "no hub runs here" in said(capsys)


@pytest.mark.parametrize("name", ["events", "trace", "export"])
def test_folder_without_a_journal_is_named(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["--to", str(tmp_path / "out")] if name == "export" else []
    assert main([name, "--data", str(tmp_path), *more]) == 2
    text = said(capsys)
    assert str(tmp_path / "journal") in text
    assert "no journal here" in text


def test_verify_of_nothing_is_told_from_damage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(tmp_path)]) == 2
    assert "no journal segment" in said(capsys)


def test_run_on_a_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    assert main(["run", "--data", str(file)]) == 2
    assert "a file, not a folder" in said(capsys)
    assert file.read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_folder_of_somebody_else_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    tmp_path.chmod(stat.S_IRUSR)
    try:
        assert main(["status", "--data", str(tmp_path)]) == 3
        assert "no permission" in said(capsys)
        assert main(["run", "--data", str(tmp_path)]) == 2
        assert "no right to write" in said(capsys)
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def test_publish_names_the_folder_the_file_and_the_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", str(tmp_path / "typo"), "--check"]) == 2
    assert "no such folder" in said(capsys)
    assert main(["publish", str(tmp_path), "--check"]) == 2
    assert "begin with a copy of" in said(capsys)
    (tmp_path / "site.yaml").write_text("site: [1,\n")
    assert main(["publish", str(tmp_path), "--check"]) == 2
    assert f"{tmp_path / 'site.yaml'}:2:1:" in said(capsys)
    with pytest.raises(SystemExit):
        main(["publish", str(tmp_path)])
    assert "--data" in said(capsys)
