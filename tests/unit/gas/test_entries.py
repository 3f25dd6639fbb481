"""The entry log: people and tools counted in and out (GB 30871 6.8, 6.9 e; H14)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.logic.truth import Truth
from core.permits.entries_acts import LogIn, LogOut, OpenEntryLog
from core.permits.entries_events import EntryRestored, EntrySeen
from core.permits.lifecycle import PermitStatus
from tests.support.measured import Measured


def opened(bench: Measured) -> str:
    """Return a running permit whose log is open and whose space is empty."""
    for person in ("ann", "bob"):
        bench.place(person, "yard")
    permit = bench.active()
    bench.ok("gil", OpenEntryLog(permit_id=permit))
    return permit


def empty(bench: Measured, permit: str) -> Truth:
    """Say whether nobody and nothing is inside."""
    return bench.kernel.entries.empty(bench.permit(permit))


def go_in(permit: str, person: str, *tools: str) -> LogIn:
    """Return the act of logging somebody in."""
    return LogIn(permit_id=permit, person_id=person, tools=tools)


def go_out(permit: str, person: str, *tools: str) -> LogOut:
    """Return the act of logging somebody out."""
    return LogOut(permit_id=permit, person_id=person, tools=tools)


def not_logged(bench: Measured, person: str) -> bool:
    """Say whether the alarm of a person inside without a log stands."""
    found = bench.kernel.alarms.find(f"person:{person}", "entry_not_logged")
    return found is not None and found.active


def test_people_and_tools_are_counted_in_and_out() -> None:
    """6.8 c: a permit cannot close while the count is not zero."""
    bench = Measured()
    permit = opened(bench)
    facts = bench.facts(permit)
    assert (facts["count_inside"], facts["tools_inside"]) == (0, 0)
    assert facts["entry_log_open"] is True
    told = bench.ok("gil", go_in(permit, "ann", "lamp", "wrench"))
    assert told == {"inside": 1, "tools": 2}
    bench.place("ann", "tank")
    assert bench.facts(permit)["count_inside"] == 1
    assert not not_logged(bench, "ann")
    bench.place("ann", "yard")
    assert bench.facts(permit)["count_inside"] == 1
    told = bench.ok("gil", go_out(permit, "ann", "lamp"))
    assert told == {"inside": 0, "tools": 1}
    assert empty(bench, permit) is Truth.FALSE
    bench.ok("gil", go_out(permit, "ann", "wrench"))
    assert empty(bench, permit) is Truth.TRUE


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (go_in("p", "sue"), "entry.not_listed"),
        (go_in("p", "gil"), "entry.guardian"),
        (go_in("p", "zoe"), "act.person_unknown"),
        (go_in("p", "ann"), "entry.already_in"),
        (go_in("p", "bob", "lamp"), "entry.tool_inside"),
        (go_in("P", "bob"), "permit.unknown"),
        (go_out("p", "bob"), "entry.not_inside"),
        (go_out("p", "ann", "axe"), "entry.tool_unknown"),
        (
            LogIn(permit_id="p", person_id="max", rescue=True),
            "entry.rescue_without_ppe",
        ),
    ],
)
def test_a_wrong_entry_is_refused_precisely(act: LogIn | LogOut, code: str) -> None:
    """Two phones doing the same step give one outcome and one clear refusal."""
    bench = Measured()
    for person in ("ann", "bob"):
        bench.place(person, "yard")
    bench.active(permit_id="p")
    assert bench.no("gil", go_in("p", "ann")) == "entry.log_closed"
    bench.ok("gil", OpenEntryLog(permit_id="p"))
    bench.ok("gil", go_in("p", "ann", "lamp"))
    assert bench.no("gil", act) == code
    assert bench.facts("p")["count_inside"] == 1


def test_nobody_enters_a_permit_that_is_held_but_to_rescue() -> None:
    """6.9 e: a rescuer needs protection, not a permit's word."""
    bench = Measured()
    permit = opened(bench)
    bench.kernel.permits.hold(permit, "manual", source="person:sue")
    assert bench.no("gil", go_in(permit, "ann")) == "entry.not_active"
    act = LogIn(permit_id=permit, person_id="max", rescue=True, ppe=True)
    bench.ok("gil", act)
    facts = bench.facts(permit)
    assert facts["rescue_entry"] is facts["rescue_ppe"] is True
    assert facts["count_inside"] == 1


def test_an_unbriefed_worker_stays_out() -> None:
    """6.8: listed is not enough."""
    bench = Measured()
    permit = opened(bench)
    bench.permit(permit).life.briefed.remove("bob")
    assert bench.no("gil", go_in(permit, "bob")) == "entry.not_briefed"


def test_who_is_found_inside_is_counted_and_alarmed() -> None:
    """H14: refusing somebody never uncounts them."""
    bench = Measured()
    permit = opened(bench)
    assert bench.no("gil", go_in(permit, "max")) == "entry.not_listed"
    bench.place("max", "tank")
    assert [b.code for b in bench.events(EntrySeen)] == ["not_listed"]
    assert not_logged(bench, "max")
    assert bench.facts(permit)["count_inside"] == 1
    bench.place("max", "yard")
    assert bench.facts(permit)["count_inside"] == 1
    bench.ok("gil", go_out(permit, "max"))
    assert bench.facts(permit)["count_inside"] == 0
    assert not not_logged(bench, "max")


def test_a_listed_worker_who_is_seen_is_counted_without_an_alarm() -> None:
    """A tag or gate logs whom the permit lets in; a held permit lets in nobody."""
    bench = Measured()
    permit = opened(bench)
    bench.place("ann", "tank")
    assert bench.facts(permit)["count_inside"] == 1
    assert not not_logged(bench, "ann")
    bench.ok("gil", go_in(permit, "ann", "lamp"))
    bench.kernel.permits.hold(permit, "manual", source="person:sue")
    bench.place("bob", "tank")
    assert not_logged(bench, "bob")
    assert bench.facts(permit)["count_inside"] == 2


def test_a_lost_fix_leaves_the_count_unknown() -> None:
    """Unknown is never safe: it never closes a permit."""
    bench = Measured()
    bench.place("max", "tank")
    for person in ("ann", "bob"):
        bench.place(person, "yard")
    bench.dead.add("max")
    bench.live(20)
    permit = bench.active()
    bench.ok("gil", OpenEntryLog(permit_id=permit))
    assert "count_inside" not in bench.facts(permit)
    assert empty(bench, permit) is Truth.UNKNOWN
    bench.dead.clear()
    bench.place("max", "yard")
    assert bench.facts(permit)["count_inside"] == 0


def test_a_logged_worker_whose_fix_is_lost_still_counts() -> None:
    """The log stands where tags do not reach."""
    bench = Measured()
    permit = opened(bench)
    bench.ok("gil", go_in(permit, "ann"))
    bench.place("ann", "tank")
    bench.dead.add("ann")
    bench.live(20)
    assert bench.facts(permit)["count_inside"] == 1
    bench.ok("gil", go_out(permit, "ann"))
    assert bench.facts(permit)["count_inside"] == 0


def test_a_gate_counts_out_and_a_late_fix_counts_nobody_in() -> None:
    """A fix follows a person out by some seconds."""
    bench = Measured()
    permit = opened(bench)
    bench.place("ann", "tank")
    bench.ok("gil", go_out(permit, "ann"))
    bench.advance(2)
    assert "count_inside" not in bench.facts(permit)
    bench.place("ann", "yard")
    assert bench.facts(permit)["count_inside"] == 0
    bench.place("bob", "tank")
    bench.dead.add("bob")
    bench.signal("gate-tank", "gate", person_id="bob", direction="out")
    assert bench.facts(permit)["count_inside"] == 0


def test_who_stays_inside_after_the_log_says_out_is_counted_again() -> None:
    """A wrong word does not outlast what is seen."""
    bench = Measured()
    permit = opened(bench)
    bench.place("ann", "tank")
    bench.ok("gil", go_out(permit, "ann"))
    bench.live(20)
    assert bench.facts(permit)["count_inside"] == 1


def test_two_permits_of_one_space_count_each_person_once() -> None:
    """One who works under the other permit is no stranger."""
    bench = Measured()
    permit = opened(bench)
    other = bench.active(workers=("max",))
    bench.permit(other).life.briefed.append("max")
    bench.place("max", "tank")
    assert not not_logged(bench, "max")
    assert bench.facts(permit)["count_inside"] == 0
    assert bench.facts(other)["count_inside"] == 1


def test_a_way_out_that_the_disk_lost_counts_inside() -> None:
    """Design §2: with the tools that came out."""
    bench = Measured()
    permit = opened(bench)
    bench.ok("gil", go_in(permit, "ann", "lamp"))
    bench.journal.held = True
    bench.ask("gil", go_out(permit, "ann", "lamp"))
    bench.settle()
    assert bench.facts(permit)["count_inside"] == 0
    bench.break_disk()
    assert len(bench.events(EntryRestored)) == 1
    facts = bench.facts(permit)
    assert (facts["count_inside"], facts["tools_inside"]) == (1, 1)
    assert bench.no("gil", go_out(permit, "ann")) == "journal.not_durable"
    bench.ok("gil", go_in(permit, "bob"))


def test_a_kind_without_a_space_has_no_log() -> None:
    """Hot work is not entered."""
    bench = Measured()
    permit = bench.active("hot-special")
    act = OpenEntryLog(permit_id=permit)
    assert bench.no("gil", act) == "entry.not_counted"
    bench.put(permit, PermitStatus.CLOSED)
    assert bench.no("gil", act) == "permit.closed"


def test_counts_survive_a_restart() -> None:
    """Design §2: after an unclean stop the same people are inside."""
    bench = Measured()
    permit = opened(bench)
    bench.ok("gil", go_in(permit, "ann", "lamp"))
    before = bench.permit(permit).entries
    bench.restart(reboot="b2")
    assert bench.permit(permit).entries == before
    assert bench.facts(permit)["tools_inside"] == 1


WALKS = st.lists(
    st.tuples(
        st.sampled_from(["in", "out", "walk_in", "walk_out", "hold", "disk"]),
        st.sampled_from(["ann", "bob", "max"]),
        st.sampled_from([(), ("lamp",), ("lamp", "axe")]),
    ),
    max_size=14,
)


def walk(
    bench: Measured,
    permit: str,
    logged: set[str],
    verb: str,
    person: str,
    tools: tuple[str, ...],
) -> None:
    """Take one step; keep who was logged in by hand and not out since."""
    match verb:
        case "in":
            if bench.act("gil", go_in(permit, person, *tools)).ok:
                logged.add(person)
        case "out":
            if bench.act("gil", go_out(permit, person, *tools)).ok:
                logged.discard(person)
        case "walk_in":
            bench.place(person, "tank")
        case "walk_out":
            bench.place(person, "yard")
        case "hold":
            bench.kernel.permits.hold(permit, "manual", source="person:sue")
        case "disk":
            bench.break_disk()
            bench.mend_disk()


@settings(max_examples=40)
@given(WALKS)
def test_no_order_of_entries_loses_anybody(
    steps: list[tuple[str, str, tuple[str, ...]]],
) -> None:
    """H14 as a promise: counts are never negative, nobody inside is uncounted."""
    bench = Measured()
    permit = opened(bench)
    logged: set[str] = set()
    for verb, person, tools in steps:
        walk(bench, permit, logged, verb, person, tools)
        record, facts = bench.permit(permit), bench.facts(permit)
        assert logged <= record.entries.people.keys()
        seen = {p for p in ("ann", "bob", "max") if bench.places[p] == "tank"}
        count = facts.get("count_inside")
        if isinstance(count, int):
            assert count >= len(record.entries.people | {}.fromkeys(seen)) >= 0
        assert facts["tools_inside"] == len(record.entries.tools)
        if empty(bench, permit) is Truth.TRUE:
            assert not seen and not record.entries.people and not record.entries.tools
    replayed = bench.replayed().permits.permits[permit].entries
    assert replayed == bench.permit(permit).entries
