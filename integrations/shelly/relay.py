"""One enrolled relay: connect, identify, poll, carry out commands, tell its loss."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp

from core.api import (
    KEEP,
    Command,
    CommandState,
    Device,
    Entity,
    EntityKind,
    Host,
    Output,
    OutputKind,
    Quality,
    Value,
)
from integrations.shelly import wire
from integrations.shelly.session import (
    NS,
    SOONEST_S,
    PeerError,
    RefusedError,
    Session,
    opened,
)

#: A relay that acts without the hub does so after this; it is told anew each 5 s.
TRIP_S = 30
PAUSES_S = (0.5, 10.0)
#: Wrong credentials will not mend themselves in a second.
AUTH_PAUSE_S = 30.0
#: Its own clock of uptime may stand still for so long before it is frozen.
FROZEN_S = 3.0
_READ_BACK_S = 0.1
_CALLS = (OutputKind.SIREN, OutputKind.STROBE, OutputKind.VOICE)
_UNITS = {
    "power": "W",
    "voltage": "V",
    "current": "A",
    "energy": "Wh",
    "temperature": "°C",
}


class Relay:
    """Drive one device of the options; nothing of it reaches another."""

    def __init__(self, host: Host, options: Mapping[str, Any], password: str) -> None:
        self.host, self.options = host, options
        self.uid: str = options["mac"]
        self.up: bool | None = None
        self.reason = ""
        self.model = ""
        self.counters = {"connects": 0, "polls": 0, "commands": 0}
        self._password = password
        self._outputs: dict[int, Mapping[str, Any]] = {
            int(number): said for number, said in options["outputs"].items()
        }
        self._entities: dict[str, Entity] = {}
        self._handles: dict[str, int] = {}
        self._session: Session | None = None
        self._ready = asyncio.Event()
        self._timed: frozenset[int] = frozenset()
        """Channels of a call to leave that the device would end by itself."""
        self._uptime, self._uptime_ns = -1, 0

    # --- life -----------------------------------------------------------------

    async def run(self, http: aiohttp.ClientSession) -> None:
        """Serve for ever; a lost relay is tried again with growing pauses."""
        self._declare(wire.Status(switches={}, inputs={}, uptime_s=0))
        pause = PAUSES_S[0]
        while True:
            before = self.counters["polls"]
            try:
                await self._serve(http)
            except PeerError as problem:
                self._lost(problem.code)
            except (aiohttp.ClientError, OSError, TimeoutError):
                self._lost("shelly.unreachable")
            if self.counters["polls"] > before:
                pause = PAUSES_S[0]
            await self.host.timer.sleep(
                AUTH_PAUSE_S if self.reason == "shelly.auth" else pause
            )
            pause = min(pause * 2, PAUSES_S[1])

    async def _serve(self, http: aiohttp.ClientSession) -> None:
        async with opened(
            http, self.options, self._password, self.host.count
        ) as session:
            self.counters["connects"] += 1
            try:
                await self._live(session)
            finally:
                self._ready.clear()
                self._session = None

    async def _live(self, session: Session) -> None:
        # Who it is comes first: nothing else is said to a stranger.
        self.model = await session.identify()
        self._uptime = -1
        await self._look_at_timers(session)
        while True:
            await self._poll(session)
            if self._session is None:
                self._session = session
                self._ready.set()
            await self._pause(session)

    async def _pause(self, session: Session) -> None:
        await self.host.timer.sleep(SOONEST_S)
        rest = max(self.options["poll_s"] - SOONEST_S, 0.0)
        timer = self.host.timer.call_later(rest, session.nudge.set)
        try:
            await session.nudge.wait()
        finally:
            timer.cancel()
        session.nudge.clear()

    async def _look_at_timers(self, session: Session) -> None:
        """Find calls to leave that the device would end by itself."""
        timed = set()
        for number, said in self._outputs.items():
            if OutputKind(said["kind"]) in _CALLS:
                try:
                    found = await session.ask("Switch.GetConfig", {"id": number})
                except RefusedError:
                    continue  # not there: its reading says so
                if found.get("auto_off") is True:
                    timed.add(number)
                    self.host.count("shelly.self_timed", f"switch:{number}", self.uid)
        self._timed = frozenset(timed)

    # --- readings -------------------------------------------------------------

    async def _poll(self, session: Session) -> None:
        try:
            status = wire.status(await session.ask("Shelly.GetStatus"))
        except (wire.WireError, RefusedError) as error:
            self.host.count("shelly.bad_frame", str(error)[:200], self.uid)
            raise PeerError("shelly.bad_answer") from error
        self.counters["polls"] += 1
        frozen = self._frozen(status.uptime_s)
        self._declare(status)
        self._link(True, "")
        for uid, entity in self._entities.items():
            self._report(uid, *self._judged(uid, entity, status, frozen))

    def _frozen(self, uptime_s: int) -> bool:
        now = self.host.clock.mono_ns()
        if uptime_s != self._uptime:
            self._uptime, self._uptime_ns = uptime_s, now
        return now - self._uptime_ns > FROZEN_S * NS

    def _judged(
        self, uid: str, entity: Entity, status: wire.Status, frozen: bool
    ) -> tuple[Value, Quality, str]:
        component, _, figure = uid.partition(".")
        kind, _, number = component.partition(":")
        value: Value
        if kind == "input":
            value = status.inputs.get(int(number))
        else:
            switch = status.switches.get(int(number))
            if switch is None:
                return None, Quality.NOT_PRESENT, "shelly.no_channel"
            value = switch.figures.get(figure) if figure else switch.output
            if not figure and value is not None and self._inverted(int(number)):
                value = not value
            if not figure and int(number) in self._timed:
                return None, Quality.FAULT, "shelly.self_timed"
            if switch.errors:
                return value, Quality.UNCERTAIN, "shelly.device_error"
        if value is None:
            return None, Quality.NOT_PRESENT, "shelly.no_channel"
        if frozen:
            return value, Quality.STALE, "shelly.frozen"
        return value, Quality.GOOD, ""

    def _report(
        self, uid: str, value: Value, quality: Quality, reason: str = ""
    ) -> None:
        self.host.report(self._handles[uid], value, quality, reason)

    def _lost(self, code: str) -> None:
        self._link(False, code)
        heard = self.counters["polls"] > 0
        for handle in self._handles.values():
            quality = Quality.FAULT if heard else Quality.NOT_PRESENT
            self.host.report(handle, None, quality, code)

    def _link(self, up: bool, code: str) -> None:
        if self.up is not up or self.reason != code:
            self.up, self.reason = up, code
            self.host.link_state(self.uid, up, code)

    # --- what it is -----------------------------------------------------------

    def _declare(self, status: wire.Status) -> None:
        """Tell the hub what there is: what the site names, and what it measures."""
        found = {f"switch:{n}": self._switch(n) for n in self._outputs}
        for number, switch in status.switches.items():
            found.setdefault(f"switch:{number}", self._switch(number))
            for name in switch.figures:
                uid = f"switch:{number}.{name}"
                found[uid] = self._entity(uid, EntityKind.SENSOR, name, _UNITS[name])
        for number in status.inputs:
            uid = f"input:{number}"
            found[uid] = self._entity(uid, EntityKind.BINARY, "input")
        if self._entities.keys() >= found.keys():
            return
        self._entities |= found
        self.host.declare(
            Device(
                uid=self.uid,
                name=self.options.get("name", f"Shelly {self.uid}"),
                manufacturer="Shelly",
                model=self.model,
                serial=self.uid,
                suggested_zone=self.options.get("zone"),
                entities=tuple(self._entities.values()),
            )
        )
        self._handles = {uid: self.host.handle(self.uid, uid) for uid in self._entities}

    def _switch(self, number: int) -> Entity:
        uid, said = f"switch:{number}", self._outputs.get(number)
        if said is None:
            return self._entity(uid, EntityKind.BINARY, "power")
        more = {k: v for k, v in said.items() if k not in {"kind", "inverted"}}
        output = Output(kind=OutputKind(said["kind"]), **more)
        return self._entity(uid, EntityKind.OUTPUT, "", output=output)

    def _entity(
        self,
        uid: str,
        kind: EntityKind,
        quantity: str,
        unit: str = "",
        output: Output | None = None,
    ) -> Entity:
        return Entity(
            uid=uid,
            name=uid,
            kind=kind,
            quantity=quantity,
            unit=unit,
            max_age_s=max(5.0, 5 * self.options["poll_s"]),
            output=output,
        )

    def _inverted(self, number: int) -> bool:
        return bool(self._outputs.get(number, {}).get("inverted", False))

    # --- commands -------------------------------------------------------------

    async def command(self, command: Command) -> None:
        """Carry out a command; CONFIRMED only by the relay's own status."""
        self.counters["commands"] += 1
        number = command.entity_uid.removeprefix("switch:")
        said = self._outputs.get(int(number)) if number in tuple("01234567") else None
        left_s = (command.deadline_ns - self.host.clock.mono_ns()) / NS
        result = self.host.result
        if said is None:
            result(command.id, CommandState.FAILED, "shelly.no_such_output")
        elif not isinstance(command.value, bool):
            result(command.id, CommandState.FAILED, "shelly.bad_value")
        elif left_s <= 0:
            result(command.id, CommandState.EXPIRED, "shelly.late")
        else:
            told: list[CommandState] = []
            try:
                async with asyncio.timeout(left_s * 0.95):
                    await self._carry_out(command, int(number), said, told)
            except TimeoutError:
                ended = CommandState.FAILED if told else CommandState.EXPIRED
                code = "shelly.no_read_back" if told else "shelly.not_delivered"
                result(command.id, ended, code)

    async def _carry_out(
        self,
        command: Command,
        number: int,
        said: Mapping[str, Any],
        told: list[CommandState],
    ) -> None:
        """Say it until the relay shows it; every lost connection begins anew."""
        wanted = bool(command.value) is not bool(said.get("inverted", False))
        params = self._params(command, number, said, wanted)
        while True:
            await self._ready.wait()
            session = self._session
            if session is None:
                continue
            try:
                if await self._try(session, command, number, wanted, params, told):
                    return
            except RefusedError:
                self.host.result(command.id, CommandState.FAILED, "shelly.refused")
                return
            except (PeerError, wire.WireError):
                await self.host.timer.sleep(_READ_BACK_S)

    async def _try(
        self,
        session: Session,
        command: Command,
        number: int,
        wanted: bool,
        params: Mapping[str, Any],
        told: list[CommandState],
    ) -> bool:
        if command.priority == KEEP and not await self._shows(session, number, wanted):
            # What has tripped stays tripped: this word only prolongs.
            self.host.result(command.id, CommandState.FAILED, "shelly.tripped")
            return True
        await session.ask("Switch.Set", params)
        if not told:
            told.append(CommandState.DELIVERED)
            self.host.result(command.id, CommandState.DELIVERED)
        if await self._shows(session, number, wanted):
            self.host.result(command.id, CommandState.CONFIRMED)
            return True
        await self.host.timer.sleep(_READ_BACK_S)
        return False

    async def _shows(self, session: Session, number: int, wanted: bool) -> bool:
        """Say whether the relay itself shows the state; its reading follows."""
        answer = await session.ask("Switch.GetStatus", {"id": number})
        session.nudge.set()
        return wire.switch(answer).output is wanted

    @staticmethod
    def _params(
        command: Command, number: int, said: Mapping[str, Any], wanted: bool
    ) -> dict[str, Any]:
        """Return the request; only what is to act without the hub gets a time.

        An ignition source waits for so long before it trips, a heartbeat lamp
        before it goes dark. A call to leave never ends by itself (design §5).
        """
        kind, fails = OutputKind(said["kind"]), said.get("fail_safe", "hold_last")
        waits = kind is OutputKind.POWER_CUT and fails == "on" and not command.value
        glows = kind is OutputKind.LAMP and fails == "off" and command.value
        params: dict[str, Any] = {"id": number, "on": wanted}
        if waits or glows:
            params["toggle_after"] = TRIP_S
        return params
