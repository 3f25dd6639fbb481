"""The guides' examples are what the program accepts, and what it says."""

import re
from pathlib import Path

import pytest

from automations.publish import compile_checked
from core.api.errors import ConfigError
from demo import scenario

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDES = ("configure.md", "configure.zh-CN.md")
FILE = re.compile(r"```yaml\n# (\w+\.yaml)\n(.*?)```", re.DOTALL)
MISTAKES = {
    "devices.yaml": ("zone: pit, critical", "zone: pitt, critical"),
    "site.yaml": ("evacuate_within: 2min", "evacuate_within: soon"),
    "response.yaml": ("chain: gas,", "chian: gas,"),
}


def example(guide: str, folder: Path) -> Path:
    """Write the site that a guide describes."""
    found = FILE.findall((DOCS / guide).read_text("utf-8"))
    assert [name for name, _ in found] == ["site.yaml", "devices.yaml", "response.yaml"]
    for name, text in found:
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize("guide", GUIDES)
def test_the_guides_site_is_published(guide: str, tmp_path: Path) -> None:
    """A site that is copied from the guide passes `safehold publish --check`."""
    bundle, _ = compile_checked(example(guide, tmp_path))
    assert [zone.id for zone in bundle.site.zones] == ["pit", "yard"]
    assert [rule.id for rule in bundle.rules] == ["gas-response"]


@pytest.mark.parametrize("guide", GUIDES)
@pytest.mark.parametrize("file", MISTAKES)
def test_the_guides_errors_are_the_programs(
    guide: str, file: str, tmp_path: Path
) -> None:
    """What the guide shows for a mistake is what the program says of it."""
    path = example(guide, tmp_path) / file
    right, wrong = MISTAKES[file]
    text = path.read_text("utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong), "utf-8")
    with pytest.raises(ConfigError) as told:
        compile_checked(tmp_path)
    said = str(told.value).partition(str(tmp_path))[2]
    assert said in (DOCS / guide).read_text("utf-8")


def test_both_languages_show_the_same_examples() -> None:
    """What is mended in one language is mended in the other."""
    for one in ("configure", "demo"):
        texts = [
            (DOCS / f"{one}{end}").read_text("utf-8") for end in (".md", ".zh-CN.md")
        ]
        blocks = [re.findall(r"```yaml\n.*?```", text, re.DOTALL) for text in texts]
        assert blocks[0] == blocks[1]
        heads = [len(re.findall(r"^## ", text, re.MULTILINE)) for text in texts]
        assert heads[0] == heads[1]


def test_the_guides_scenario_is_one(tmp_path: Path) -> None:
    """The scenario of docs/demo.md can be read."""
    text = (DOCS / "demo.md").read_text("utf-8")
    file = tmp_path / "short.yaml"
    file.write_text(text.partition("```yaml\n")[2].partition("```")[0], "utf-8")
    assert len(scenario.read(file).steps) == 6
