"""The engine against a small reference interpreter that shares no code with it.

Hypothesis makes rules (limit, side, fusion, sustain, hysteresis) and histories of
three detectors; both must fire at the same moments and doubt from the same one.
"""

from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.rules import played, told

GOOD, UNCERTAIN, TEST, INHIBITED, STALE, FAULT = range(6)
ACTING = (GOOD, UNCERTAIN, STALE)
UIDS = ("x", "y", "z")
UNKNOWN_S = 30.0


class Rule(NamedTuple):
    """One generated rule."""

    above: bool
    fuse: str
    sustain: int
    hysteresis: int


class Said(NamedTuple):
    """One generated reading: after so many seconds, one detector says something."""

    pause: int
    uid: str
    value: int
    quality: int


def text(rule: Rule) -> str:
    """Write the rule in the language."""
    side = "above" if rule.above else "below"
    return (
        "on_unknown: fault\n"
        "triggers:\n"
        f"  - {{trigger: reading, of: noise, zone: a, {side}: 50, fuse: {rule.fuse}, "
        f"for: {rule.sustain}s, hysteresis: {rule.hysteresis}}}\n"
        "actions: [{action: notify, roles: [supervisor], code: notice.rule.wind}]\n"
    )


class Reference:
    """Interpret a rule second by second, in the plainest way."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.last: dict[str, tuple[int, int] | None] = dict.fromkeys(UIDS)
        self.began: float | None = None
        self.doubt: float | None = None
        self.fired = False
        self.fresh = True
        self.fires: list[float] = []
        self.doubts: list[float] = []

    def one(self, uid: str) -> bool | None:
        """Judge a detector: yes, no, or None for nobody knows."""
        said = self.last[uid]
        if said is None or said[1] not in ACTING:
            return None
        slack = self.rule.hysteresis if self.fired else 0
        value = said[0]
        over = value >= 50 - slack if self.rule.above else value <= 50 + slack
        if over:
            return True
        return False if said[1] == GOOD else None

    def whole(self) -> bool | None:
        """Join the three detectors."""
        answers = [self.one(uid) for uid in UIDS]
        yes, lost = answers.count(True), answers.count(None)
        match self.rule.fuse:
            case "any":
                return True if yes else (None if lost else False)
            case "all":
                return False if False in answers else (None if lost else True)
        if yes >= max(1, 2 - lost):
            return True
        return False if yes + lost < 2 else None

    def look(self, now: float) -> None:
        """Look at the rule at a moment."""
        answer = self.whole()
        if answer is None:
            self.doubt = now if self.doubt is None else self.doubt
            if now - self.doubt >= UNKNOWN_S and not self.doubts:
                self.doubts.append(now)
            return
        self.doubt = None
        if answer:
            self.began = now if self.began is None else self.began
            due = self.fresh or now - self.began >= self.rule.sustain
            if due and not self.fired:
                self.fired = True
                self.fires.append(now)
        else:
            self.began, self.fired, self.fresh = None, False, False


def interpreted(rule: Rule, history: list[Said]) -> Reference:
    """Run the reference over a history, looking at every second."""
    reference = Reference(rule)
    # The hub has run for two seconds, and nobody was heard in the first of them.
    reference.look(-1)
    reference.look(0)
    now = 0
    for said in history:
        for second in range(now + 1, now + said.pause + 1):
            reference.look(second)
        now += said.pause
        reference.last[said.uid] = (said.value, said.quality)
        reference.look(now)
    for second in range(now + 1, now + 45):
        reference.look(second)
    return reference


def run(rule: Rule, history: list[Said]) -> Any:
    """Run the engine over the same history."""
    detectors = {
        uid: {"zone": "a", "quantity": "noise", "unit": "dBA", "max_age": 100_000}
        for uid in UIDS
    }
    stage = played(
        text(rule),
        [],
        zones={"a": {}},
        people={"boss": {"roles": ["supervisor"]}},
        detectors=detectors,
    )
    rehearsal = stage.rehearsal
    start = now = 2
    rehearsal.run_to(float(start))
    for said in history:
        now += said.pause
        rehearsal.run_to(float(now))
        rehearsal.read(stage.handles[said.uid], float(said.value), said.quality)
        rehearsal.run_to(float(now))
    rehearsal.run_to(float(now + 44))
    return stage


RULES = st.builds(
    Rule,
    st.booleans(),
    st.sampled_from(["any", "all", "2oo3"]),
    st.sampled_from([0, 1, 3, 7]),
    st.sampled_from([0, 5]),
)
SAYINGS = st.builds(
    Said,
    st.integers(0, 6),
    st.sampled_from(UIDS),
    st.sampled_from([40, 46, 50, 54, 60]),
    st.sampled_from([GOOD, GOOD, GOOD, UNCERTAIN, TEST, INHIBITED, STALE, FAULT]),
)


@settings(max_examples=60, deadline=None)
@given(rule=RULES, history=st.lists(SAYINGS, min_size=1, max_size=14))
def test_the_engine_fires_when_the_reference_does(
    rule: Rule, history: list[Said]
) -> None:
    """Generated rules and histories, engine against reference interpreter."""
    history = [history[0]._replace(pause=0), *history[1:]]
    wanted = interpreted(rule, history)
    stage = run(rule, history)
    fires = [at - 2 for at, body in told(stage, "notice.queued") if body.chain == ""]
    assert fires == wanted.fires
    doubts = [
        at - 2
        for at, body in told(stage, "alarm.raised")
        if body.kind == "fault.unknown"
    ]
    assert doubts[:1] == wanted.doubts
