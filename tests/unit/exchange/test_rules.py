"""The validator: each error names record, field, rule and the mend."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core import texts
from frontend_api.commands import aq as command
from frontend_api.exchange import aq, rules
from tests.unit.exchange.conftest import Told


def ticket() -> dict[str, Any]:
    told = Told()
    told.issue()
    found: dict[str, Any] = msgspec.json.decode(told.owed[0].body)
    return found


def alarm() -> dict[str, Any]:
    told = Told()
    told.hold(told.issue(), "H1", "guardian")
    found: dict[str, Any] = msgspec.json.decode(told.owed[-1].body)
    return found


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"ID": "P-1"}, "ID", "aq.uuid"),
        ({"COMPANYCODE": 91330100}, "COMPANYCODE", "aq.no_text"),
        ({"COMPANYNAME": ""}, "COMPANYNAME", "aq.empty"),
        ({"COMPANYNAME": "  "}, "COMPANYNAME", "aq.blank"),
        ({"TICKETTYPE": "动火"}, "TICKETTYPE", "aq.ticket_type"),
        ({"TICKETSTATUS": "7"}, "TICKETSTATUS", "aq.status"),
        ({"WORKERNAME": "周勇，吴涛"}, "WORKERNAME", "aq.comma"),
        ({"WORKERNAME": "周勇, 吴涛"}, "WORKERNAME", "aq.name_blank"),
        ({"STARTTIME": "2026/07/01 08:00"}, "STARTTIME", "aq.time"),
        ({"STARTTIME": "2026-02-30 08:00:00"}, "STARTTIME", "aq.time"),
        ({"LATITUDE": 120.1}, "LATITUDE", "aq.degrees"),
        ({"LONGITUDE": 0}, "LONGITUDE", "aq.degrees"),
        ({"LONGITUDE": float("nan")}, "LONGITUDE", "aq.degrees"),
        ({"DELETED": False}, "DELETED", "aq.flag"),
        ({"MAJORPERSONMOBILE": "123"}, "MAJORPERSONMOBILE", "aq.mobile"),
        ({"GASVALUE": None}, "GASVALUE", "aq.gas_missing"),
        ({"GASVALUE": "0"}, "GASVALUE", "aq.list_length"),
        ({"GASTIME": "早上,早上"}, "GASTIME", "aq.time"),
        ({"WORKERCERTINUM": None}, "WORKERCERTINUM", "aq.list_length"),
        ({"ISCHANGED": "1"}, "CHANGEDCAUSE", "aq.cause_missing"),
        ({"TICKETSTATUS": "5"}, "ENDTIME", "aq.empty"),
        ({"TICKETSTATUS": "3"}, "CHECKEDTIME", "aq.empty"),
        ({"SUPERVISORNAME": "周勇"}, "SUPERVISORNAME", "aq.guardian_works"),
        ({"ENDTIME": "2026-07-01 07:00:00"}, "ENDTIME", "aq.order"),
        ({"UPDATEDATE": "2026-06-01 07:00:00"}, "UPDATEDATE", "aq.order"),
        ({"REMARK": "x"}, "REMARK", "aq.unknown_field"),
    ],
)
def test_bad_ticket_is_named(change: dict[str, Any], field: str, code: str) -> None:
    """AQ 3064.2 annex A."""
    found = [(each.field, each.code) for each in rules.check(ticket() | change)]
    assert (field, code) in found


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"ALARMTYPE": "06"}, "ALARMTYPE", "aq.alarm_type"),
        ({"TICKETID": None}, "TICKETID", "aq.empty"),
        ({"ALARMRESULT": "已处置"}, "ALARMRESULT", "aq.result_early"),
        ({"ALARMENDTIME": "2026-01-01 00:00:00"}, "ALARMENDTIME", "aq.order"),
    ],
)
def test_bad_alarm_is_named(change: dict[str, Any], field: str, code: str) -> None:
    """AQ 3064.2 annex A."""
    found = [(each.field, each.code) for each in rules.check(alarm() | change)]
    assert (field, code) in found


def test_each_missing_field_is_named() -> None:
    """AQ 3064.2: only the marked fields are optional."""
    for fields, record in (
        (aq.TICKET_FIELDS, ticket()),
        (aq.ALARM_FIELDS, alarm()),
    ):
        for field in fields:
            less = {name: value for name, value in record.items() if name != field.name}
            codes = [each.code for each in rules.check(less)]
            if field.name in ("ALARMTYPE", "TICKETID"):
                assert codes
            elif field.required:
                assert codes == ["aq.missing"]


def test_all_codes_have_both_languages() -> None:
    for code, said in texts.catalogue().items():
        if code.startswith(("aq.", "alarm.fault.exchange")):
            assert set(said) == {"zh", "en"}


def run(tmp_path: Path, data: object, *more: str) -> int:
    file = tmp_path / "list.json"
    file.write_text(data if isinstance(data, str) else json.dumps(data), "utf-8")
    return command.main(["validate", str(file), *more])


def test_sound_list_and_lines_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, [ticket(), alarm()]) == 0
    lines = "\n".join(json.dumps(each) for each in (ticket(), alarm()))
    assert run(tmp_path, lines) == 0
    assert "1 tickets, 1 alarms" in capsys.readouterr().out


def test_finding_names_record_field_rule_and_mend(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = ticket() | {"WORKERNAME": "周勇，吴涛"}
    assert (
        run(tmp_path, [ticket() | {"ID": alarm()["ID"]}, bad], "--language", "zh") == 1
    )
    said = capsys.readouterr().out
    assert "第 2 条" in said
    assert "WORKERNAME" in said
    assert "英文半角逗号" in said


def test_double_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, [ticket(), ticket()], "--json") == 1
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["record"], row["code"], row["params"]["first"]) == (2, "aq.double", "1")


def test_broken_json_names_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, '{"a": 1}\n{"a": \n') == 2
    assert "line 2" in capsys.readouterr().err
    assert command.main(["validate", str(tmp_path / "none.json")]) == 2
    assert run(tmp_path, "") == 2
