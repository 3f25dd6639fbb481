"""Watch running permits: an interlock that is not TRUE holds, or clears the zone."""

from collections.abc import Callable, Iterable
from typing import Final

from core.api.reading import Value
from core.clock import NS
from core.hub import Hub
from core.logic.truth import Truth
from core.permits.bench import Holder
from core.permits.events import PermitVerified
from core.permits.interlocks import Finding, Findings, Interlocks, describe, not_true
from core.permits.lifecycle import BROKEN_OFF, RUNNING, PermitStatus
from core.permits.pack import Action
from core.permits.state import PermitRecord

#: Clear a zone: zones, code, parameters.
Clear = Callable[[list[str], str, dict[str, Value]], None]
#: Permits judged in one go; the sweep of a second is spread over it.
_BATCH: Final = 5
_PAUSE_S: Final = 0.004
#: Nobody works under these, but people may still be inside.
LEFT_OVER: Final = (PermitStatus.HELD, PermitStatus.COMPLETED, *BROKEN_OFF)
#: A gas rule's breach owes a new test, however short the break.
_GAS_FACTS: Final = frozenset({"gas_acceptable", "oxygen_vol", "flammable_lfl"})


class Watch:
    """Judge permits when something changes and at least each second (R1)."""

    def __init__(self, hub: Hub, judge: Interlocks, hold: Holder) -> None:
        self._hub, self._judge, self._hold = hub, judge, hold
        self.clear: Clear | None = None
        """Clears a zone where a rule says so; the kernel sets it."""
        self._unknown: dict[tuple[str, str], int] = {}
        """(permit, interlock) → boot ns since when it is UNKNOWN."""
        self._swept: list[str] = []
        self._cleared: set[tuple[str, str]] = set()
        """(permit, rule) for which its zone was cleared, until the rule is kept."""

    def forget_all(self) -> None:
        """Begin anew after a start: UNKNOWN counts from now."""
        self._unknown.clear()
        self._cleared.clear()

    def sweep(self, permit_ids: list[str]) -> None:
        """Judge all of these within the second, in batches."""
        late, self._swept = self._swept, permit_ids
        self.judge_all(late)  # what a slow second left over
        self._batch()

    def _batch(self) -> None:
        now, self._swept = self._swept[:_BATCH], self._swept[_BATCH:]
        self.judge_all(now)
        if self._swept:
            self._hub.after(_PAUSE_S, "permits.sweep", self._batch)

    def judge_all(self, permit_ids: Iterable[str]) -> None:
        """Judge these permits now."""
        permits = self._hub.state.permits.permits
        failed: list[Exception] = []
        for permit_id in list(permit_ids):
            permit = permits.get(permit_id)
            if permit is None:
                continue
            try:
                self._judge_one(permit)
            except Exception as error:  # noqa: BLE001 - one permit blinds no other
                failed.append(error)
                if permit.status in RUNNING:
                    params: dict[str, Value] = {"error": type(error).__name__}
                    self._hold(permit.id, "unjudged", source="hub:core", params=params)
        for each in failed:
            self._hub.failed(each)

    def _judge_one(self, permit: PermitRecord) -> None:
        if permit.status not in RUNNING:
            self._look_inside(permit)
            return
        bad = not_true(self._judge.judge(permit))
        self._remember_unknown(permit.id, bad)
        broken = [name for name, f in bad.items() if f.truth is Truth.FALSE]
        if broken:
            self._breach(permit, broken[0], bad)
        elif permit.status is PermitStatus.VERIFYING:
            if not bad and self._hub.journal.healthy():
                self._hub.emit(PermitVerified(permit_id=permit.id))
        elif overdue := self._overdue(permit, bad):
            self._breach(permit, overdue, bad)

    # --- breaches -------------------------------------------------------------

    def _breach(self, permit: PermitRecord, name: str, bad: Findings) -> None:
        params: dict[str, Value] = {"interlock": name, "bad": describe(bad)}
        code = name.partition(".")[0]
        breach = bad[name].breach
        if breach is not None:
            params |= {"rule": breach.rule, "clause": breach.clause}
            if breach.alarm:
                params["aq"] = breach.alarm
        retest = self._owed(permit, bad)
        self._hold(
            permit.id, code, source=f"interlock:{name}", retest=retest, params=params
        )
        self._call_out(permit, bad)

    # --- who is inside --------------------------------------------------------

    def _look_inside(self, permit: PermitRecord) -> None:
        """Look at what nobody works under: who is still there, which gas came."""
        if permit.status is PermitStatus.HELD:
            self._owe(permit)
        if not self._judge.manned(permit):
            self._forget(permit.id)
            return
        bad = self._judge.leaving(permit)
        self._remember_unknown(permit.id, bad)
        self._call_out(permit, bad)  # work or not (5.2.6, 6.5)
        self._again(permit, bad)

    def _owe(self, permit: PermitRecord) -> None:
        """Let gas that comes during a hold owe its own test, also once it is gone.

        With people inside or without: what was sampled before the gas came says
        nothing of the air after it (GB 30871 5.3.1, 6.5).
        """
        kind = self._judge.kind(permit)
        for name, found in self._judge.spoilt(permit).items():
            always = kind.retest.gases if kind is not None else ()
            retest = self._owed(permit, {name: found}) if permit.life.pack else always
            if retest:
                code = name.partition(".")[0]
                source = f"interlock:{name}"
                self._hold(permit.id, code, source=source, retest=retest)
                return

    def _call_out(self, permit: PermitRecord, bad: Findings) -> None:
        """Clear the zone once for each rule that says so, until it is kept again."""
        leave = {(permit.id, name): found for name, found in _leaving(bad).items()}
        self._cleared -= {
            each for each in self._cleared if each[0] == permit.id and each not in leave
        }
        due = [
            (key, found.breach)
            for key, found in leave.items()
            if key not in self._cleared and self._acts(permit, found)
        ]
        if not due or self.clear is None:
            return
        self._cleared |= {key for key, _ in due}
        breach = due[0][1]
        if breach is not None:
            params: dict[str, Value] = {"rule": breach.rule, "clause": breach.clause}
            params |= {"permit": permit.id, "bad": describe(bad)}
            if breach.alarm:
                params["aq"] = breach.alarm
            # One that runs is extended: it may be a drill, and this is none.
            self.clear([permit.zone_id], "rule", params)

    def _acts(self, permit: PermitRecord, found: Finding) -> bool:
        """Say whether a finding has lasted long enough to act on."""
        if found.truth is Truth.FALSE:
            return True
        since = [
            ns
            for (permit_id, name), ns in self._unknown.items()
            if permit_id == permit.id
            and found.breach is not None
            and name == f"rule.{found.breach.rule}"
        ]
        due = self._reaction_ns(permit, found)
        return any(ns + due <= self._hub.clock.mono_ns() for ns in since)

    def _owed(self, permit: PermitRecord, bad: Findings) -> tuple[str, ...]:
        """Return the gases that a legal permit must test again after these."""
        ruled = self._judge.packs.kind(permit) if permit.life.pack else None
        if ruled is None or ruled.kind.gas is None:
            return ()
        gassy = any(
            name in ("alarm", "evacuation")
            or (f.breach is not None and not _GAS_FACTS.isdisjoint(f.breach.facts))
            for name, f in bad.items()
        )
        return ruled.kind.gas.gases if gassy else ()

    # --- UNKNOWN --------------------------------------------------------------

    def _remember_unknown(self, permit_id: str, bad: Findings) -> None:
        now = self._hub.clock.mono_ns()
        for key in [key for key in self._unknown if key[0] == permit_id]:
            if key[1] not in bad or bad[key[1]].truth is not Truth.UNKNOWN:
                del self._unknown[key]
        for name, found in bad.items():
            if found.truth is Truth.UNKNOWN:
                self._unknown.setdefault((permit_id, name), now)

    def _reaction_ns(self, permit: PermitRecord, found: Finding) -> int:
        """Return how long a finding may stay open: the shortest of what is missing.

        A fact with a time of its own (a guardian's lost fix) lends it to no other.
        """
        kind = self._judge.kind(permit)
        seconds = kind.reaction_s if kind else 0.0
        missing = found.breach.missing if found.breach is not None else ()
        own = [self._judge.facts.reaction_s(name) for name in missing]
        due = min((seconds if s is None else s for s in own), default=seconds)
        return int(due * NS)

    def _overdue(self, permit: PermitRecord, bad: Findings) -> str | None:
        """Return an interlock UNKNOWN for too long; else call again in time."""
        dues = self._dues(permit, bad)
        name = min(dues, key=lambda each: dues[each], default=None)
        if name is not None and dues[name] <= self._hub.clock.mono_ns():
            return name
        self._again(permit, bad)
        return None

    def _dues(self, permit: PermitRecord, bad: Findings) -> dict[str, int]:
        return {
            name: self._unknown[permit.id, name] + self._reaction_ns(permit, found)
            for name, found in bad.items()
            if found.truth is Truth.UNKNOWN
        }

    def _again(self, permit: PermitRecord, bad: Findings) -> None:
        """Judge again as soon as something has been UNKNOWN for too long."""
        now = self._hub.clock.mono_ns()
        later = [due for due in self._dues(permit, bad).values() if due > now]
        if later:
            key, mine = f"permit.unknown.{permit.id}", [permit.id]
            self._hub.timers.at(min(later), key, lambda: self.judge_all(mine))

    def _forget(self, permit_id: str) -> None:
        for key in [key for key in self._unknown if key[0] == permit_id]:
            del self._unknown[key]
        self._cleared -= {each for each in self._cleared if each[0] == permit_id}


def _leaving(bad: Findings) -> Findings:
    """Return what clears the zone."""
    return {
        name: found
        for name, found in bad.items()
        if found.breach is not None and found.breach.action is Action.EVACUATE
    }
