"""script/shape sees what it promises to see."""

import importlib.machinery
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def shape() -> ModuleType:
    """Load the script, which has no .py to its name."""
    loader = importlib.machinery.SourceFileLoader("shape", str(ROOT / "script/shape"))
    spec = importlib.util.spec_from_loader("shape", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


LONG = "def f():\n" + "    x = 1\n" * 41
BROAD = "try:\n    pass\nexcept Exception:\n    pass\n"


@pytest.mark.parametrize(
    ("path", "text", "rules"),
    [
        ("core/a.py", LONG, ["long-function"]),
        ("core/a.py", BROAD, ["broad-except"]),
        (
            "core/a.py",
            BROAD.replace("Exception", "(OSError, Exception)"),
            ["broad-except"],
        ),
        ("core/a.py", BROAD.replace(" Exception", ""), ["broad-except"]),
        ("core/a.py", BROAD + "    raise\n", []),
        ("core/processes/keeper.py", BROAD, []),
        (
            "integrations/modbus/driver.py",
            "from core.link import X\n",
            ["plugin-import"],
        ),
        ("integrations/modbus/driver.py", "import core.hub\n", ["plugin-import"]),
        (
            "integrations/modbus/driver.py",
            "from core.clock import NS\n",
            ["plugin-import"],
        ),
        ("integrations/modbus/driver.py", "from core.api.clock import NS\n", []),
        ("integrations/modbus/driver.py", "from core.api import Reading\n", []),
        ("integrations/modbus/driver.py", "from core.api.model import X\n", []),
        ("integrations/runtime/host.py", "from core.link import X\n", []),
        ("core/logic/a.py", "import random\n", ["own-door"]),
        ("core/logic/a.py", "from os import urandom\n", ["own-door"]),
        ("core/journal/a.py", "import os\n", []),
        ("tests/a.py", "import time\ntime.sleep(1)\n", ["sleep"]),
        ("tests/a.py", "async def f():\n    await asyncio.sleep(0)\n", []),
    ],
)
def test_syntax_rules(
    shape: ModuleType, path: str, text: str, rules: list[str]
) -> None:
    """Design §8: each breach is found once, and its lawful twin is not."""
    assert [b.rule for b in shape.in_python(path, text)] == rules


@pytest.mark.parametrize(
    ("path", "text", "rules"),
    [
        ("core/a.py", "x = 1\n" * 401, ["long-file"]),
        ("core/a.py", "x = 1\n" * 400, []),
        ("docs/a.md", "see /" + "root/x\n", ["foreign-place"]),
        ("docs/a.md", "https://py" + "pi.org/simple\n", ["foreign-place"]),
        ("core/a.py", "# TO" + "DO later\n", ["unfinished"]),
        ("docs/a.md", "a frame/wo" + "rk/flow\n", []),
    ],
)
def test_text_rules(shape: ModuleType, path: str, text: str, rules: list[str]) -> None:
    """Design §8: size of files; no place of one machine in the sources."""
    assert [b.rule for b in shape.in_text(path, text)] == rules


def test_every_sentence_has_its_twin(
    shape: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue: Chinese and English; a text in one language only is a breach."""
    texts, ui = tmp_path / "core/texts", tmp_path / "frontend_api/ui/src/i18n"
    texts.mkdir(parents=True)
    ui.mkdir(parents=True)
    (texts / "a.json").write_text(
        '{"a.good": {"zh": "{n} 人", "en": "{n} people"},'
        ' "a.half": {"zh": "半"}, "a.unlike": {"zh": "{n}", "en": "{m}"}}',
        encoding="utf-8",
    )
    (ui / "en.json").write_text('{\n"both": "b",\n"lone": "l"\n}', encoding="utf-8")
    (ui / "zh.json").write_text('{\n"both": "二"\n}', encoding="utf-8")
    monkeypatch.setattr(shape, "ROOT", tmp_path)
    assert [b.what for b in shape.in_texts()] == [
        "a.half is not in both languages",
        "a.unlike has unlike places",
        "lone is in one language only",
    ]


def test_exceptions_only_shrink(
    shape: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A mended breach must leave the list; a new one is told with its place."""
    listed = tmp_path / "exceptions.txt"
    listed.write_text("core/old.py long-file: more than 400 lines\n", encoding="utf-8")
    monkeypatch.setattr(shape, "EXCEPTIONS", listed)
    monkeypatch.setattr(shape, "ROOT", tmp_path)
    new = shape.Breach("core/new.py", 7, "broad-except", "somewhere")
    monkeypatch.setattr(shape, "breaches", lambda: iter([new]))
    assert shape.main() == 1
    told = capsys.readouterr().out
    assert "core/new.py:7 broad-except: somewhere" in told
    assert "mended, so remove it: core/old.py" in told
