"""The hub's own faults as alarms: disk, clock, processes. No I/O of its own."""

from core.clock import NS
from core.journal.writer import DiskFault, DiskOk, Durable, Gapped, Notice
from core.kernel import Kernel
from core.processes.desk import Desk
from core.processes.events import ClockStepped, JournalGap

#: Wall time that moves this far against boot time within a second has stepped.
STEP_NS = 2 * NS
_CHECK_S = 1.0
#: A process that has run this long no longer crashes in a loop.
_WELL_S = 60.0
_DISK, _CLOCK = "hub:disk", "hub:clock"
_SLOW = "journal_slow"


def _judged(source: str, condition: str) -> bool:
    """Say whether the hub itself can end an alarm; of its own errors a person must."""
    return (source, condition) != ("hub:core", "error")


class Health:
    """Turn what the journal, the clock and the keeper tell into alarms."""

    def __init__(self, kernel: Kernel, desk: Desk) -> None:
        self._kernel, self._hub, self._desk = kernel, kernel.hub, desk
        kernel.alarms.judges["hub"] = _judged
        self._offset_ns = 0
        self.ticked_ns = 0
        """Boot time of the last check: the kernel's timers run."""

    def start(self) -> None:
        """Begin the check of each second; old disk faults are looked at anew."""
        self._offset_ns = self._wall_offset()
        self._disk_well()
        self._clock_trust()
        self._check()

    # --- disk -----------------------------------------------------------------

    def notice(self, notice: Notice) -> None:
        """Take what the journal's writer tells, in order."""
        if isinstance(notice, Durable):
            self._hub.durable(notice.seq)
        elif isinstance(notice, Gapped):
            self._gap(notice)
        elif isinstance(notice, DiskFault):
            self._disk_fault(notice.code, notice.detail)
        elif isinstance(notice, DiskOk):
            self._disk_well()
            self._desk.hosts.durable_again()

    def _gap(self, notice: Gapped) -> None:
        gap = notice.gap
        self._hub.lost(gap.first, gap.last)
        counts: dict[str, int] = {}
        for lost in gap.lost:
            counts[lost.type] = counts.get(lost.type, 0) + lost.count
        self._hub.emit(
            JournalGap(
                first_seq=gap.first,
                last_seq=gap.last,
                lost=sum(counts.values()),
                counts=counts,
            )
        )

    def _disk_fault(self, code: str, detail: str) -> None:
        self._kernel.alarms.raise_(
            _DISK,
            code,
            kind="fault.disk",
            priority=3 if code == "journal_no_spare" else 2,
            params={"code": code, "detail": detail[:200]},
        )
        if code != "journal_no_spare":
            self._hub.not_durable()

    def _disk_well(self) -> None:
        for alarm in self._kernel.alarms.active(kind_prefix="fault.disk"):
            if alarm.source == _DISK:
                self._kernel.alarms.clear(alarm.source, alarm.condition)

    def disk_pace(self, slow: bool) -> None:
        """Take whether the disk keeps accepted events waiting."""
        found = self._kernel.alarms.find(_DISK, _SLOW)
        standing = found is not None and found.active
        if slow and not standing:
            self._disk_fault(_SLOW, "")
        elif standing and not slow:
            self._kernel.alarms.clear(_DISK, _SLOW)
            self._desk.hosts.durable_again()

    def history_damaged(self, detail: str) -> None:
        """Hear that the archive put a damaged file aside: a person must see it."""
        source, condition = "hub:archive", "damaged"
        self._kernel.alarms.raise_(
            source,
            condition,
            kind="fault.disk",
            priority=3,
            latching=True,
            params={"code": "history_damaged", "detail": detail[:200]},
        )
        self._kernel.alarms.clear(source, condition)

    def exchange(self, faults: dict[str, str]) -> None:
        """Take what the uplink cannot deliver; an empty detail is well again."""
        for condition in ("dead", "late", "journal", "witness"):
            detail = faults.get(condition)
            if detail:
                self._kernel.alarms.raise_(
                    "hub:uplink",
                    condition,
                    kind=f"fault.exchange.{condition}",
                    priority=3,
                    params={"detail": detail[:200]},
                )
            elif detail is not None:
                self._kernel.alarms.clear("hub:uplink", condition)

    def secrets(self, detail: str) -> None:
        """Hear why the store of secrets cannot be read, or '' that it can."""
        source, condition = "hub:secrets", "secrets"
        if detail:
            self._kernel.alarms.raise_(
                source,
                condition,
                kind="fault.disk",
                priority=2,
                params={"code": "secrets_unreadable", "detail": detail[:200]},
            )
        else:
            self._kernel.alarms.clear(source, condition)

    # --- clock ----------------------------------------------------------------

    def _wall_offset(self) -> int:
        clock = self._hub.clock
        return clock.wall_ns() - clock.mono_ns()

    def _check(self) -> None:
        self.ticked_ns = self._hub.clock.mono_ns()
        offset = self._wall_offset()
        delta = offset - self._offset_ns
        self._offset_ns = offset  # a slow slew is no step
        if abs(delta) > STEP_NS:
            synced = self._hub.clock.synced()
            self._hub.emit(ClockStepped(delta_s=delta / NS, synced=synced))
            self._clock_trust()
        self._hub.after(_CHECK_S, "health.check", self._check)

    def _clock_trust(self) -> None:
        if self._hub.clock.synced():
            self._kernel.alarms.clear(_CLOCK, "untrusted")
        else:
            self._kernel.alarms.raise_(
                _CLOCK, "untrusted", kind="fault.clock", priority=2
            )

    # --- processes ------------------------------------------------------------

    def process(self, name: str, state: str, detail: str) -> None:
        """Take how the keeper says a process stands."""
        self._desk.processes[name] = state
        source = name if name.startswith("host:") else f"hub:{name}"
        if state == "failed":
            self._kernel.alarms.raise_(
                source,
                "crashing",
                kind="fault.host",
                priority=2,
                params={"host": name, "why": "crashing", "detail": detail},
            )
        elif state == "running":
            # A process in a crash loop runs each time, for a moment.
            self._hub.after(_WELL_S, f"health.{name}", lambda: self._well(name, source))

    def _well(self, name: str, source: str) -> None:
        if self._desk.processes.get(name) == "running":
            self._kernel.alarms.clear(source, "crashing")

    def error(self, where: str, error: BaseException) -> None:
        """Take an error of the hub's own code: an alarm, never silence."""
        self._desk.count("core.errors")
        self._kernel.alarms.raise_(
            "hub:core",
            "error",
            kind="fault.core",
            priority=2,
            params={"where": where, "error": f"{type(error).__name__}: {error}"[:300]},
        )
