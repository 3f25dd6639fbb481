"""Tickets and alarms of AQ 3064.2 from permits under a legal pack."""

from typing import Any

import msgspec
import pytest

from core.journal import envelope as envelopes
from core.journal import fold
from core.permits import life_acts as a
from core.permits.acts import CancelPermit
from core.state import SiteState
from frontend_api.exchange import aq, rules, settings
from frontend_api.exchange.mapping import Mapper
from tests.support.works import Works
from tests.unit.exchange.conftest import TEXT

Record = dict[str, Any]


def told(site: Works) -> list[Record]:
    """Return every record that the journal of a site makes owed, in order."""
    mapper, state, found = Mapper(settings.loads(TEXT)), SiteState(), []
    mapper.bundle = site.bundle
    for data in site.journal.stored:
        wrapped = envelopes.decode(data)
        body = fold.replay(state, wrapped)
        for owed in mapper.take(body, wrapped, state):
            assert not owed.problem, owed
            found.append(msgspec.json.decode(owed.body))
    assert [each for each in rules.check_all(found)] == []
    return found


def statuses(records: list[Record], permit_id: str) -> list[str]:
    """Return a ticket's statuses as they followed each other."""
    ticket = aq.uuid_of("ticket", permit_id)
    seen = [r["TICKETSTATUS"] for r in records if r["ID"] == ticket]
    return [s for at, s in enumerate(seen) if at == 0 or seen[at - 1] != s]


@pytest.fixture
def site() -> Works:
    """Return a site under the law."""
    return Works()


def test_a_ticket_follows_the_six_steps(site: Works) -> None:
    """AQ 3064.2 annex A; domain §1.3: 0 unsigned, 1 issued, 2 working, 6, 3."""
    permit_id = site.booked()
    assert told(site) == []  # a booking is no ticket yet
    site.signed(site.analysed(site.applied(permit_id)))
    site.verified(permit_id)
    site.tested(permit_id)
    site.ok("sue", a.StartPermit(permit_id=permit_id), site.version(permit_id))
    site.place("gil", "hall")
    site.place("gil", "yard")
    site.released(permit_id)
    site.ended(permit_id)
    records = told(site)
    assert statuses(records, permit_id) == ["0", "1", "2", "6", "2", "3"]
    last = [r for r in records if "TICKETTYPE" in r][-1]
    assert (last["TICKETTYPE"], last["SUPERVISORNAME"]) == ("01", "gil")
    assert last["GASNAME"].split(",")[0] == "CH4"
    assert last["WORKDEPARTMENT"] == "workshop"
    (begun, ended) = [r for r in records if r.get("ALARMTYPE") == "31"]
    assert (begun["ALARMENDTIME"], ended["ALARMRESULT"]) == (None, "all is well again")


def test_a_refusal_is_an_alarm_until_its_cause_is_mended(site: Works) -> None:
    """AQ 3064.2 A.4: 01 no gas analysis, 70 no briefing; once each while open."""
    permit_id = site.applied(site.booked())
    whole, site.briefed, site.tested = site.briefed, lambda _: None, lambda _: {}  # type: ignore[method-assign,assignment]
    site.analysed(permit_id)
    for _ in range(2):
        with pytest.raises(AssertionError, match="H5="):
            site.signed(permit_id)
    alarms = [r for r in told(site) if "ALARMTYPE" in r]
    assert sorted(r["ALARMTYPE"] for r in alarms) == sorted({"01", "02", "70"})
    site.briefed = whole  # type: ignore[method-assign]
    site.briefed(permit_id)
    del site.tested
    site.tested(permit_id)
    site.signed(permit_id)
    ended = {r["ALARMTYPE"] for r in told(site) if r.get("ALARMENDTIME")}
    assert ended == {"01", "02", "70"}


def test_what_came_to_nothing_is_told_with_its_cause(site: Works) -> None:
    """AQ 3064.2: 4 void, 5 withdrawn with its cause, changes with theirs."""
    rejected = site.applied(site.booked())
    act = a.RejectPermit(permit_id=rejected, reason="no crew")
    site.ok("ivy", act)
    changed = site.started()
    site.ok("sue", a.SupersedePermit(permit_id=changed, reason="another flange"))
    records = told(site)
    assert statuses(records, rejected)[-1] == "4"
    assert statuses(records, changed)[-1] == "4"
    old = [r for r in records if r["ID"] == aq.uuid_of("ticket", changed)][-1]
    assert old["ISCHANGED"] == "1"
    assert "another flange" in old["CHANGEDCAUSE"]


def test_a_cancelled_ticket_is_withdrawn(site: Works) -> None:
    """AQ 3064.2: ISCANCELLED with its cause."""
    permit_id = site.started()
    site.ok("sue", CancelPermit(permit_id=permit_id, reason="rain"))
    last = [r for r in told(site) if "TICKETTYPE" in r][-1]
    assert (last["TICKETSTATUS"], last["ISCANCELLED"]) == ("5", "1")
    assert last["CANCELLEDCAUSE"] == "rain"
