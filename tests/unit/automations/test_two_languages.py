"""A person who reads Chinese is told in Chinese what to mend (issue 4)."""

import re
from pathlib import Path

import pytest

from automations import blueprint_command, books_command, command
from automations.packs import command as pack_command
from core.api import asking
from core.api.errors import ConfigError
from core.logic.parse import parse
from core.texts.sentences import say
from integrations.modbus import flow

SITE = """
site:
  id: plant
  names: Plant
levels:
  - {id: ground, names: Ground}
zones:
  - id: shed
    names: Shed
    level: ground
    polygon: [[0, 0], [9, 0], [9, 9]]
"""


def chinese(text: str) -> bool:
    """Say whether a text holds Chinese."""
    return any("\u4e00" <= each <= "\u9fff" for each in text)


def publish(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """Return what ``safehold publish --check`` says of a folder."""
    assert command.main([str(folder), "--check", *more]) == 2
    return capsys.readouterr().err


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a small site's folder."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "site.yaml").write_text(SITE, "utf-8")
    return folder


@pytest.mark.parametrize(
    ("old", "new", "zh", "en"),
    [
        ("site:", "sight:", "未知的键 'sight'；请删除", "unknown key 'sight'"),
        ("zones:", "zones: [", "不是正确的 YAML：", "not YAML: "),
        ("  id: plant", "  id: plant\n  id: x", "键 'id' 在此出现两次", "here twice"),
        (
            "level: ground",
            "level: up",
            "本现场没有楼层 'up'；已知：ground",
            "known: ground",
        ),
        ("id: shed", "id: A shed", "'A shed' 不能作为标识", "'A shed' is no id"),
        (
            "vol",
            "permit_packs: [moon]",
            "没有许可规则包 'moon'；已知：",
            "'moon'; known",
        ),
    ],
)
def test_a_broken_site_is_told_in_both_languages(
    site: Path,
    capsys: pytest.CaptureFixture[str],
    old: str,
    new: str,
    zh: str,
    en: str,
) -> None:
    """The place stays as it is; the sentence is the reader's."""
    file = site / "site.yaml"
    text = file.read_text("utf-8")
    file.write_text(text.replace(old, new, 1) if old in text else text + new, "utf-8")
    said = publish(site, capsys, "--language", "zh")
    assert zh in said
    assert en in publish(site, capsys, "--language", "en")
    assert all(re.match(r".*site\.yaml:\d+:\d+: ", each) for each in said.splitlines())
    assert all(chinese(each) for each in said.splitlines())


def test_the_environment_says_the_language(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without ``--language`` it is the one of LC_ALL, LC_MESSAGES or LANG."""
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    (site / "site.yaml").write_text("- 1\n", "utf-8")
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "应有 'site:'、'zones:' 之类的键" in publish(site, capsys)
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert "expected keys such as 'site:' and 'zones:'" in publish(site, capsys)


def test_a_broken_blueprint_is_told_in_chinese(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``safehold blueprint test``: schema, expression and version alike."""
    file = tmp_path / "b.yaml"
    file.write_text("blueprint: {id: x, version: one}\n", "utf-8")
    assert blueprint_command.main(["--language", "zh", "test", str(file)]) == 2
    said = capsys.readouterr().err
    assert f"{file}:1:" in said
    assert all(chinese(line) for line in said.splitlines()), said
    assert blueprint_command.main(["--language", "zh", "show", "nothing"]) == 2
    assert "没有蓝图 'nothing'；'list' 可列出全部" in capsys.readouterr().err


def test_a_broken_pack_is_told_in_chinese(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``safehold pack check``: every mistake is a line in one language."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "pack.yaml").write_text(
        "pack: {id: mine, version: 1, zh: 甲, en: A}\nkinds: {x: 1}\n"
        "rules: {r: {when: h2s >}}\n",
        "utf-8",
    )
    assert pack_command.main(["--language", "zh", "check", str(folder)]) == 2
    said = capsys.readouterr().err
    assert "应为 key: value" in said
    assert all(chinese(line) for line in said.splitlines()), said


def test_a_broken_plan_is_told_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    """``safehold plans``, too."""
    assert books_command.main(["--language", "zh", "test"]) == 2
    assert "请写文件名，或用 --all" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "",
        "h2s >",
        "h3s > 1",
        "f(h2s)",
        "h2s > 1 if h2s else 0",
        "lambda: 1",
        "h2s is None",
        "~h2s",
        "rate(h2s)",
        "votes(3, h2s > 1, h2s > 2)",
        "h2s > 1 # no",
        "not " * 90 + "h2s > 1",
        "'a",
        "h2s ** 2 > 1",
    ],
)
def test_a_bad_expression_is_told_in_chinese(text: str) -> None:
    """Each mistake of an expression has its own Chinese, and keeps its place."""
    with pytest.raises(ConfigError) as bad:
        parse(text, {"h2s"}, file="a.yaml", line=3, column=5)
    said = say(bad.value, "zh")
    assert said.startswith("a.yaml:3:")
    assert chinese(said)
    assert not chinese(str(bad.value))


def test_a_form_answers_in_both_languages() -> None:
    """What an integration's form says of a field reaches the page in both."""
    answer = asking.answer(flow, "schema", "check", {"options": {"buses": 1}})
    (wrong, *_) = answer["errors"]
    assert not chinese(wrong["message"])
    assert chinese(wrong["zh"])
