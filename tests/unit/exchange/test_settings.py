"""Exchange settings: refused whole, with line, column and the mend."""

from pathlib import Path

import pytest

from core.api.errors import ConfigError
from frontend_api.commands import aq as command
from frontend_api.exchange import settings
from tests.unit.exchange.conftest import TEXT


def test_good_settings_are_typed() -> None:
    found = settings.loads(TEXT)
    assert found.company == settings.Company(name="总包", code="91330100MA00000000")
    assert found.types == {"confined": "70"}


@pytest.mark.parametrize(
    ("text", "place", "mend"),
    [
        ("company: {name: A, code: 1}", "1:", "quote numbers"),
        ("mobil: '13800000000'", "1:", "mend its spelling"),
        ("mobile: '12'", "1:9", "MAJORPERSONMOBILE"),
        ("types:\n  hot: '99'", "2:8", "expected one of"),
        ("platform: {tickets: ftp://x, alarms: http://x}", "1:21", "https"),
        ("platform: {tickets: http://x, alarms: http://x}", "1:1", "company"),
        ("witnesses:\n  - {id: a, kind: mail}", "2:", "host"),
        ("witnesses:\n  - {id: a, kind: smoke}", "2:", "tsa"),
    ],
)
def test_bad_settings_are_refused(text: str, place: str, mend: str) -> None:
    """Design §5 Configuration: schema with line and column."""
    with pytest.raises(ConfigError) as bad:
        settings.loads(text)
    assert f"settings.yaml:{place}" in str(bad.value)
    assert mend in str(bad.value)


def test_settings_are_installed_for_the_hub_alone(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(TEXT, "utf-8")
    assert command.main(["settings", str(file), "--data", str(tmp_path)]) == 0
    made = tmp_path / "exchange" / "settings.yaml"
    assert made.stat().st_mode & 0o777 == 0o600
    file.write_text("nonsense: 1", "utf-8")
    assert command.main(["settings", str(file), "--data", str(tmp_path)]) == 2
    assert settings.load(made).company is not None
