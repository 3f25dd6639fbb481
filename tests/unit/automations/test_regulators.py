"""Authorities that the site names for the notice of an accident (issue 4 §7)."""

from pathlib import Path

import msgspec
import pytest

from automations import books
from automations.compile_site import compile_folder
from core.api.errors import ConfigError
from core.config import EMPTY, Names
from core.response.books import Plan, PlanStep
from core.response.notices_config import NoticePolicy, Recipient

SITE = """\
site: {id: s, names: {zh: 一, en: One}}
levels: [{id: g, names: {zh: 一, en: G}, z: 0}]
zones:
  - {id: a, names: {zh: 一, en: A}, level: g, polygon: [[0, 0], [9, 0], [9, 9]]}
notices:
  channels: [{id: mail-1, names: {zh: 邮箱, en: Mail}}]
  report_within: 2h
  regulators:
    - {id: bureau, names: {zh: 局, en: Bureau}, channels: [CHANNEL]}
"""
WORDS = Names(zh="一", en="one")


def written(folder: Path, channel: str) -> Path:
    (folder / "site.yaml").write_text(SITE.replace("CHANNEL", channel), "utf-8")
    return folder


def test_they_are_compiled_with_the_laws_time(tmp_path: Path) -> None:
    found = compile_folder(written(tmp_path, "mail-1")).notices
    (bureau,) = found.regulators
    assert (bureau.id, bureau.channels) == ("bureau", ("mail-1",))
    assert found.report_within_s == 7200.0


def test_a_channel_that_is_not_declared_is_refused_with_its_place(
    tmp_path: Path,
) -> None:
    with pytest.raises(ConfigError) as wrong:
        compile_folder(written(tmp_path, "fax-1"))
    said = str(wrong.value)
    assert "site.yaml:9" in said and "fax-1" in said and "mail-1" in said


def test_publishing_warns_where_nobody_could_be_told() -> None:
    step = PlanStep(id="tell", names=WORDS, roles=(), within_s=60.0, report=True)
    plan = Plan(id="p", names=WORDS, version="1", steps=(step,))
    owed = msgspec.structs.replace(EMPTY, plans=(plan,))
    assert any("regulators" in str(line) for line in books.warnings(owed))
    named = NoticePolicy(
        regulators=(Recipient(id="b", names=WORDS, channels=("mail-1",)),)
    )
    told = msgspec.structs.replace(owed, notices=named)
    assert not any("regulators" in str(line) for line in books.warnings(told))
