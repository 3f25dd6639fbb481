"""Scans that a technician asked for: one at a time, told step by step, stoppable."""

import asyncio
import importlib
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import msgspec

from core.api.errors import Refused
from core.api.packages import Package
from core.link.findings import MAX_TEXT, ScanState, Sign
from core.registry.proposals_events import ScanAsked
from integrations.runtime.discovery import targets
from integrations.runtime.discovery.board import Board
from integrations.runtime.discovery.known import Known, host_in
from integrations.runtime.discovery.match import Signs
from integrations.runtime.discovery.sighting import Sighting, clean, clean_facts

#: What a scan found stays so long.
KEPT_S = 24 * 3600.0
#: No scan takes longer: 247 units with eight settings, slowly.
LONGEST_S = 3 * 3600.0
_MAX_NOTES = 20
_MODBUS_PORT = 502
_LINE_UNITS = (1, 247)


class Progress:
    """Keep a scan's state; ``changed`` is called with each new one."""

    def __init__(self, asked: ScanAsked, changed: Callable[[ScanState], None]) -> None:
        self.asked, self._changed = asked, changed
        self.state = ScanState(
            id=asked.scan_id,
            kind=asked.kind,
            target=clean(asked.target),
            state="running",
        )
        self.on_answer: Callable[[Any], None] = lambda _: None

    def tell(self, **fields: Any) -> None:
        """Take what is new."""
        self.state = msgspec.structs.replace(self.state, **fields)
        self._changed(self.state)

    def step(self, step: str, done: int, total: int) -> None:
        """Hear what is being done."""
        self.tell(step=step, done=done, total=total)

    def found(self, answer: Any) -> None:
        """Hear of a device."""
        self.on_answer(answer)
        self.tell(found=self.state.found + 1)

    def note(self, code: str, **params: str | int) -> None:
        """Hear what a person must know."""
        sign = Sign(
            code, {name: str(value)[:MAX_TEXT] for name, value in params.items()}
        )
        if sign not in self.state.notes and len(self.state.notes) < _MAX_NOTES:
            self.tell(notes=(*self.state.notes, sign))


class Scans:
    """Carry out scans, one at a time; the findings go to the board."""

    def __init__(
        self, board: Board, known: Known, changed: Callable[[ScanState], None]
    ) -> None:
        self._board, self._known, self._changed = board, known, changed
        self.signs = Signs(())
        self.packages: Mapping[str, Package] = {}
        self.state: ScanState | None = None
        self._task: asyncio.Task[None] | None = None
        self.listen_s: float | None = None
        """For tests: how long a line is listened to; None is the scanner's own."""

    def _tell(self, state: ScanState) -> None:
        self.state = state
        self._changed(state)

    def start(self, asked: ScanAsked, group: asyncio.TaskGroup) -> None:
        """Begin a scan, unless one is under way: then it is refused."""
        if self._task is not None and not self._task.done():
            busy = Progress(asked, self._changed)
            target = self.state.target if self.state else ""
            busy.tell(state="refused", code="discovery.busy", params={"target": target})
            if self.state is not None:  # what is shown stays the running one
                self._changed(self.state)
            return
        self._task = group.create_task(self._run(Progress(asked, self._tell)))

    def stop(self, scan_id: str) -> None:
        """End a scan; another one's number is fine."""
        if self.state is not None and self.state.id == scan_id and self._task:
            self._task.cancel()

    def end(self) -> None:
        """End whatever runs."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self, progress: Progress) -> None:
        progress.tell()
        kinds: dict[str, Callable[[Progress], Awaitable[None]]] = {
            "modbus_tcp": self._modbus_tcp,
            "modbus_serial": self._modbus_serial,
            "opcua": self._opcua,
        }
        try:
            async with asyncio.timeout(LONGEST_S):
                await kinds[progress.asked.kind](progress)
        except Refused as no:
            progress.tell(state="refused", code=no.refusal, params=dict(no.params))
        except asyncio.CancelledError:
            progress.tell(state="stopped")
            raise
        except Exception as error:  # noqa: BLE001 - the border to a scanner and its
            # library: a scan that fails is told, and the listeners go on.
            why = f"{type(error).__name__}: {error}"[:MAX_TEXT]
            progress.tell(
                state="failed", code="discovery.scan_failed", params={"why": why}
            )
        else:
            progress.tell(state="done")

    # --- Modbus -------------------------------------------------------------------

    def scanner(self) -> tuple[str, ModuleType]:
        """Return the integration that scans Modbus, and its module; raises Refused."""
        for name, package in self.packages.items():
            # Code of others runs confined, in a process of its own: never here.
            if package.ours and package.manifest.discovery.modbus_scan:
                return name, importlib.import_module(f"{package.module}.scan")
        raise Refused("discovery.no_scanner", kind="modbus")

    async def _modbus_tcp(self, progress: Progress) -> None:
        asked = progress.asked
        name, module = self.scanner()
        port = asked.port or _MODBUS_PORT
        hosts = []
        for host in targets.addresses(asked.target):
            holder = self._holder(f"{host}:{port}")
            if holder:  # a gateway often takes one connection: not to be disturbed
                place = f"{host}:{port}"
                progress.note(
                    "discovery.skipped_held", target=place, integration=holder
                )
            else:
                hosts.append(host)
        self._board.forget("modbus_tcp:")
        progress.on_answer = lambda answer: self._modbus(answer, asked, name)
        await module.scan_tcp(hosts, port, _units(asked, ()), progress)

    async def _modbus_serial(self, progress: Progress) -> None:
        asked = progress.asked
        name, module = self.scanner()
        path = asked.target.strip()
        if not path.startswith("/dev/"):
            raise Refused("discovery.bad_target", target=path, why="/dev/…")
        holder = self._known.held_by(path)
        if holder:
            raise Refused("discovery.port_held", target=path, integration=holder)
        self._board.forget(f"modbus_serial:{path}/")
        progress.on_answer = lambda answer: self._modbus(answer, asked, name)
        settings = [
            (baud, parity)
            for baud in asked.bauds or module.BAUDS
            for parity in asked.parities or module.PARITIES
        ]
        listen_s = module.LISTEN_S if self.listen_s is None else self.listen_s
        units = [u for u in _units(asked, _LINE_UNITS) if 1 <= u <= _LINE_UNITS[1]]
        await module.scan_serial(path, settings, units, progress, listen_s)

    def _holder(self, place: str) -> str:
        return self._known.places.get(place, "")

    def _modbus(self, answer: Any, asked: ScanAsked, integration: str) -> None:
        """Take a device that answered, as the scanner tells it."""
        spot = f"{answer.place}/{answer.unit}"
        params = {"place": spot, "function": f"0x{answer.function:02x}"}
        facts = {"unit": str(answer.unit), **answer.facts}
        host, _, port = answer.place.rpartition(":")
        keys = [f"modbus:{spot}"]
        if asked.kind == "modbus_serial":
            host, port, facts["device"] = "", "0", answer.place
            keys.append(f"modbus:{os.path.realpath(answer.place)}/{answer.unit}")
        said = [facts.get(n, "") for n in ("manufacturer", "name", "model", "product")]
        shown = " ".join(dict.fromkeys(word for word in said if word))
        sign = Sign("discovery.why.modbus", params)
        self._board.seen(
            Sighting(
                source=f"{asked.kind}:{spot}",
                kind=asked.kind,
                slot="modbus",
                name=clean(shown or f"Modbus {spot}"),
                address=host_in(host) or host,
                port=int(port),
                keys=tuple(dict.fromkeys(keys)),
                facts=clean_facts(facts),
                matches=self.signs.asked("modbus_scan", sign, only=integration),
            ),
            KEPT_S,
        )

    # --- OPC UA -------------------------------------------------------------------

    async def _opcua(self, progress: Progress) -> None:
        # Late: most sites have no such server, and its library is a large one.
        from integrations.runtime.discovery import opcua

        asked = progress.asked
        host, port = targets.place(asked.target, asked.port or opcua.PORT)
        progress.step("asking", 0, 1)
        self._board.forget(f"opcua:{host}:{port}:")
        for sighting in await opcua.ask(host, port, self.signs):
            self._board.seen(sighting, KEPT_S)
            progress.found(sighting)
        progress.step("asking", 1, 1)


def _units(asked: ScanAsked, default: tuple[int, ...]) -> Sequence[int]:
    span = asked.units or default
    return range(span[0], span[1] + 1) if span else ()
