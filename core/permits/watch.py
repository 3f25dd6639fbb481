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
from core.permits.lifecycle import RUNNING, PermitStatus
from core.permits.pack import Action
from core.permits.state import PermitRecord

#: Clear a zone: zones, code, parameters.
Clear = Callable[[list[str], str, dict[str, Value]], None]
#: Permits judged in one go; the sweep of a second is spread over it.
_BATCH: Final = 20
_PAUSE_S: Final = 0.02
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

    def forget_all(self) -> None:
        """Begin anew after a start: UNKNOWN counts from now."""
        self._unknown.clear()

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
        for permit_id in list(permit_ids):
            permit = permits.get(permit_id)
            if permit is not None:
                self._judge_one(permit)

    def _judge_one(self, permit: PermitRecord) -> None:
        if permit.status not in RUNNING:
            self._forget(permit.id)
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
        acting = [f for f in bad.values() if self._acts(permit, f)]
        self._forget(permit.id)
        retest = self._owed(permit, bad)
        self._hold(
            permit.id, code, source=f"interlock:{name}", retest=retest, params=params
        )
        leaves = any(
            f.breach is not None and f.breach.action is Action.EVACUATE for f in acting
        )
        if leaves and self.clear is not None:
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
        kind = self._judge.kind(permit)
        seconds = kind.reaction_s if kind else 0.0
        if found.breach is not None:
            own = [self._judge.facts.reaction_s(name) for name in found.breach.facts]
            seconds = max([seconds, *(s for s in own if s is not None)])
        return int(seconds * NS)

    def _overdue(self, permit: PermitRecord, bad: Findings) -> str | None:
        """Return an interlock UNKNOWN for too long; else call again in time."""
        dues = {
            name: self._unknown[permit.id, name] + self._reaction_ns(permit, found)
            for name, found in bad.items()
            if found.truth is Truth.UNKNOWN
        }
        if not dues:
            return None
        name = min(dues, key=lambda each: dues[each])
        if dues[name] <= self._hub.clock.mono_ns():
            return name
        key = f"permit.unknown.{permit.id}"
        self._hub.timers.at(dues[name], key, lambda: self.judge_all([permit.id]))
        return None

    def _forget(self, permit_id: str) -> None:
        for key in [key for key in self._unknown if key[0] == permit_id]:
            del self._unknown[key]
