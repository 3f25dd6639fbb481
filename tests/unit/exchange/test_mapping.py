"""From permits and holds to AQ 3064.2 records."""

import uuid
from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import NS
from frontend_api.exchange import aq, rules
from frontend_api.exchange.mapping import STATUSES
from tests.unit.exchange.conftest import TEXT, Told


def records(told: Told, kind: str) -> list[dict[str, Any]]:
    return [msgspec.json.decode(o.body) for o in told.owed if o.kind == kind]


def test_ticket_has_the_33_fields_in_order(told: Told) -> None:
    """AQ 3064.2 annex A."""
    told.issue()
    (ticket,) = records(told, "ticket")
    assert list(ticket) == [field.name for field in aq.TICKET_FIELDS]
    assert len(aq.TICKET_FIELDS) == 33
    assert len(aq.ALARM_FIELDS) == 11
    assert len(aq.ALARM_TYPES) == 22
    assert list(rules.check(ticket)) == []


def test_ticket_names_people_gas_and_place(told: Told) -> None:
    """AQ 3064.2 annex A: name lists are joined by an ASCII comma."""
    told.issue()
    (ticket,) = records(told, "ticket")
    assert ticket["WORKERNAME"] == "周勇,吴涛"
    assert ticket["GASNAME"] == "硫化氢,氧气"
    assert ticket["GASVALUE"] == "0mg/m3,20.9%vol"
    assert ticket["GASTIME"] == "2026-07-01 07:50:00,2026-07-01 07:50:00"
    assert ticket["SUPERVISORNAME"] == "李护"
    assert ticket["TICKETRESPONSNAME"] == "孙强"
    assert ticket["TICKETPOSITION"] == "一号罐"
    assert ticket["ISCONTRACTORWORK"] == "1"
    assert ticket["WORKERCERTINUM"] == "T3301-0001"
    assert ticket["CREATEBY"] == "钱明"
    assert ticket["STARTTIME"] == "2026-07-01 08:01:00"


def test_statuses_follow_the_permit(told: Told) -> None:
    """AQ 3064.2: 2 working, 6 paused, 3 accepted."""
    permit = told.issue()
    told.hold(permit, "H1", "gas")
    told.release(permit, "H1")
    told.close(permit)
    tickets = records(told, "ticket")
    assert [t["TICKETSTATUS"] for t in tickets] == ["2", "6", "2", "3"]
    assert [t["CHECKEDTIME"] for t in tickets] == ["", "", "", "2026-07-01 08:04:00"]
    assert len({t["ID"] for t in tickets}) == 1


def test_cancelled_is_withdrawn_and_expired_is_void(told: Told) -> None:
    """AQ 3064.2: 5 withdrawn with its cause, 4 void."""
    told.close(told.issue("P1"), outcome="cancelled")
    told.expire(told.issue("P2"))
    last = {t["ID"]: t for t in records(told, "ticket")}
    first = last[aq.uuid_of("ticket", "P1")]
    assert (first["TICKETSTATUS"], first["ISCANCELLED"]) == ("5", "1")
    assert first["CANCELLEDCAUSE"]
    assert last[aq.uuid_of("ticket", "P2")]["TICKETSTATUS"] == "4"


def test_guardian_hold_is_alarm_31_until_its_release(told: Told) -> None:
    """AQ 3064.2 A.4; H2."""
    permit = told.issue()
    told.hold(permit, "H1", "guardian")
    told.release(permit, "H1")
    begun, ended = records(told, "alarm")
    assert list(begun) == [field.name for field in aq.ALARM_FIELDS]
    assert begun["ALARMTYPE"] == "31"
    assert begun["ID"] == ended["ID"]
    assert begun["TICKETID"] == aq.uuid_of("ticket", permit)
    assert (begun["ALARMENDTIME"], ended["ALARMRESULT"]) == (None, "已处置")
    assert ended["ALARMENDTIME"] == "2026-07-01 08:03:00"


def test_pack_rules_name_their_own_alarm_and_expiry_is_10(told: Told) -> None:
    """AQ 3064.2 A.4: the hold's ``aq`` wins; an unknown one is no alarm."""
    permit = told.issue()
    told.hold(permit, "H1", "rule", aq="43")
    told.hold(permit, "H2", "rule", aq="99")
    told.expire(permit)
    assert [a["ALARMTYPE"] for a in records(told, "alarm")] == ["43", "10"]


def test_null_rule_is_a_setting() -> None:
    """AQ 3064.2 leaves open what stands in ENDTIME while people work."""
    seen = {}
    for choice in ("empty", "null", "planned"):
        told = Told(TEXT + f"unknown_time: '{choice}'\n")
        told.issue()
        seen[choice] = records(told, "ticket")[0]["ENDTIME"]
    assert seen == {"empty": "", "null": None, "planned": "2026-07-01 16:00:00"}


def site_in(told: Told, zone: str) -> None:
    """Move the site into another time zone."""
    site = msgspec.structs.replace(told.mapper.bundle.site, time_zone=zone)
    told.mapper.bundle = msgspec.structs.replace(told.mapper.bundle, site=site)


@pytest.mark.parametrize(
    ("first", "then", "start"),
    [
        ("Asia/Shanghai", "America/New_York", "2026-07-01 08:01:00"),
        ("Asia/Tokyo", "Asia/Tokyo", "2026-07-01 08:01:00"),
        # There the clocks go back by an hour a quarter of an hour after the start.
        ("Europe/Berlin", "Europe/Berlin", "2026-10-25 08:45:00"),
    ],
)
def test_updates_rise_whatever_the_sites_zone_is(
    told: Told, first: str, then: str, start: str
) -> None:
    """AQ 3064.2 8.2: a platform keeps the newest by times that carry no zone."""
    begin = datetime.strptime(start, aq.TIME_FORMAT).replace(tzinfo=aq.ZONE)
    told.wall_ns = round(begin.timestamp() - 60) * NS
    site_in(told, first)
    permit = told.issue()
    site_in(told, then)
    told.wall_ns += 1800 * NS
    told.hold(permit, "H1", "gas")
    told.close(permit)
    stamps = [t["UPDATEDATE"] for t in records(told, "ticket")]
    assert stamps == sorted(set(stamps))
    assert stamps[0] == start


def test_unmapped_kind_is_kept_with_its_mend(told: Told) -> None:
    told.issue(kind="painting")
    (owed,) = told.owed
    assert (owed.problem, owed.params) == ("aq.kind_unmapped", {"kind": "painting"})


def test_echo_owes_nothing(told: Told) -> None:
    """AQ 3064.2 8.2: on a change of state, not on every event."""
    permit = told.issue()
    told.hold(permit, "H1", "gas")
    count = len(told.owed)
    told.hold(permit, "H2", "gas")
    assert len(told.owed) == count


def test_what_is_not_proven_allowed_is_paused() -> None:
    """Unknown is never safe: verifying is not working."""
    assert STATUSES["verifying"] == aq.Status.PAUSED


@given(
    st.lists(
        st.sampled_from(["hold", "release", "expire", "close", "issue"]), max_size=20
    )
)
def test_records_are_sound_rise_and_repeat(acts: list[str]) -> None:
    """Same journal, same records; (ID, UPDATEDATE) stands once; all pass the rules."""
    first, second = Told(), Told()
    for told in (first, second):
        permit = told.issue()
        for number, act in enumerate(acts):
            if act == "issue":
                permit = told.issue(f"P{number}")
            elif act == "hold":
                told.hold(permit, f"H{number}", ("gas", "guardian")[number % 2])
            elif act == "release":
                told.release(permit, *(f"H{n}" for n in range(number)))
            else:
                getattr(told, act)(permit)
            told.wall_ns -= 60_000_000_000  # all within the same second
    assert first.owed == second.owed
    keys = [(o.id, o.updated) for o in first.owed]
    assert len(keys) == len(set(keys))
    found = [msgspec.json.decode(o.body) for o in first.owed if not o.problem]
    assert list(rules.check_all(found)) == []
    assert all(uuid.UUID(record["ID"]).version == 5 for record in found)
