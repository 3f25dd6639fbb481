"""One server: connect, subscribe, prove each second that it lives, come back."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asyncua import ua

from core.api import (
    AuthError,
    Command,
    CommandState,
    Device,
    DeviceError,
    Host,
    Quality,
)
from integrations.opcua import flow, nodes
from integrations.opcua.points import NS, Map, Point, compiled, wall_ns
from integrations.opcua.quality import Verdict, judge
from integrations.opcua.session import OpcUaError, Session

FIRST_PAUSE_S, LAST_PAUSE_S = 0.5, 8.0
#: A session of this length was one: the next pause is short again.
SETTLED_S = 5.0
#: Intervals without any sign of life after which a server is lost.
MISSED = 2
#: How often a command's read-back is asked for.
READ_BACK_S = 0.1
_FROZEN = Verdict(Quality.FAULT, "opcua.heartbeat_frozen")
_CLOCK_FROZEN = Verdict(Quality.FAULT, "opcua.clock_frozen")
_NOT_RUNNING = Verdict(Quality.FAULT, "opcua.server_not_running")


@dataclass(slots=True)
class Heart:
    """Watch a node that must keep moving."""

    node: nodes.NodeRef
    max_ns: int
    value: Any = None
    moved_ns: int = 0

    def hear(self, value: object, now_ns: int) -> None:
        """Note when it moved last."""
        if value != self.value or not self.moved_ns:
            self.value, self.moved_ns = value, now_ns


class OneDevice:
    """Hold the points of one device of a server."""

    def __init__(
        self,
        host: Host,
        said: Mapping[str, Any],
        language: str,
        age: float,
        key_id: str,
    ) -> None:
        self.uid: str = said["uid"]
        space = said.get("namespace", "")
        self.points: dict[str, Point] = {}
        for uid, entity in flow.entities(said).items():
            found = compiled(uid, entity, space, age, language)
            self.points[uid] = Point(found, host.handle(self.uid, uid))
        beat = flow.heartbeat(said)
        self.heart = None
        if beat is not None:
            node = nodes.parse(beat["node"], space)
            self.heart = Heart(node, int(beat["max_s"] * NS))
        self.declared = Device(
            uid=self.uid,
            name=said.get("name") or self.uid,
            manufacturer=said.get("manufacturer", ""),
            model=said.get("model", ""),
            serial=said.get("serial_number", ""),
            key_id=key_id,
            suggested_zone=said.get("zone"),
            entities=tuple(point.map.entity for point in self.points.values()),
        )


class Peer:
    """Own one server's session; its trouble stays its own."""

    def __init__(
        self,
        host: Host,
        said: Mapping[str, Any],
        secrets: Mapping[str, str],
        language: str,
    ) -> None:
        self.host, self.said = host, said
        self.interval_s: float = said["interval_s"]
        self.tolerance_ns = int(said["clock_tolerance_s"] * NS)
        age = max(5.0, 5 * self.interval_s)
        # The pinned certificate is random enough to be named by its beginning.
        key_id = said["security"].get("fingerprint", "")[:32]
        self.devices = {
            each["uid"]: OneDevice(host, each, language, age, key_id)
            for each in said["devices"]
        }
        self.up: bool | None = None
        self.reason = ""
        self.counters = {"sessions": 0, "lost": 0, "changes": 0, "replayed": 0}
        self._secrets = secrets
        self._session: Session | None = None
        self._targets: list[Point | Heart] = []
        self._worst: Verdict | None = None
        self._now_ns = 0
        self._now_mono = 0
        self._published: float | None = None
        self._alive_ns = 0
        self._heard = False

    async def run(self) -> None:
        """Serve until cancelled; raises AuthError when the server refuses us."""
        pause = FIRST_PAUSE_S
        while True:
            began = self.host.clock.mono_ns()
            session = Session(self.said, self._secrets)
            try:
                await self._serve(session)
            except AuthError as refused:
                self._lost(str(refused.params.get("reason", refused.code)))
                raise
            except DeviceError as failure:
                # Told before the session is closed: that may take its time.
                reason = str(failure.params.get("reason", failure.code))
                self._lost(reason)
                self.host.count(reason, f"{self.said['id']}: {failure}")
            finally:
                self._session = None
                await session.close()
            if self.host.clock.mono_ns() - began > SETTLED_S * NS:
                pause = FIRST_PAUSE_S
            await self.host.timer.sleep(pause)
            pause = min(2 * pause, LAST_PAUSE_S)

    async def _serve(self, session: Session) -> None:
        await session.open()
        self._session = session
        self.counters["sessions"] += 1
        await self._begin(session)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(session), name="opcua changes")
                group.create_task(self._beat(session), name="opcua heartbeat")
        except BaseExceptionGroup as both:
            # They fail for the same reason: the first tells it.
            found = [e for e in both.exceptions if isinstance(e, DeviceError)]
            if not found or len(found) != len(both.exceptions):
                raise
            raise found[0] from None

    async def _begin(self, session: Session) -> None:
        """Resolve every node by its namespace's URI and monitor it."""
        self._targets, wanted = [], []
        targets: list[Point | Heart] = []
        for device in self.devices.values():
            targets += device.points.values()
            if device.heart is not None:
                device.heart.value, device.heart.moved_ns = None, 0
                targets.append(device.heart)
        for target in targets:
            ref = target.map.node if isinstance(target, Point) else target.node
            if isinstance(target, Point):
                target.clear()
            try:
                node = nodes.resolve(ref, session.namespaces)
            except nodes.NodeError as missing:
                self._refuse(target, ua.StatusCodes.BadNodeIdUnknown, str(missing))
                continue
            wanted.append(node)
            self._targets.append(target)
        self._now_ns = self._now_mono = 0
        self._worst = None
        refused = await session.subscribe(wanted)
        for at, status in refused.items():
            self._refuse(self._targets[at], status.value, str(wanted[at]))
        self._published = None
        self._alive_ns = self.host.clock.mono_ns()
        # Not before: a declaration says that the server has proved who it is.
        for device in self.devices.values():
            self.host.declare(device.declared)

    def _refuse(self, target: Point | Heart, status: int, detail: str) -> None:
        self.host.count("opcua.node_refused", detail)
        if isinstance(target, Point):
            target.clear(judge(status))

    async def _listen(self, session: Session) -> None:
        while True:
            at, data = await session.changes()
            if not 0 <= at < len(self._targets):
                self.host.count("opcua.bad_answer", f"handle {at}")
                continue
            target = self._targets[at]
            self.counters["changes"] += 1
            if isinstance(target, Heart):
                moved = data.Value.Value if data.Value is not None else None
                target.hear(moved, self.host.clock.mono_ns())
                continue
            if not target.take(data, self._server_ns(), self.tolerance_ns):
                self.counters["replayed"] += 1
                self._bad("opcua.replayed", target)
            if self.up:
                self._report(target)

    def _bad(self, name: str, point: Point) -> None:
        uid = next(u for u, d in self.devices.items() if point in d.points.values())
        self.host.count(name, str(point.map.node), uid)

    async def _beat(self, session: Session) -> None:
        """Prove that the server lives, and say again what still holds."""
        while True:
            beat = await session.beat()
            now = self.host.clock.mono_ns()
            self._clock(wall_ns(beat.now), now)
            if not beat.running:
                self._worst = _NOT_RUNNING
            if session.published != self._published:
                self._published, self._alive_ns = session.published, now
            elif now - self._alive_ns > (MISSED + 1) * self.interval_s * NS:
                raise OpcUaError("opcua.subscription_lost")
            if self._published is not None:
                self._link(True, "")
                self._report_all(now)
            await self.host.timer.sleep(self.interval_s)

    def _clock(self, told_ns: int, now: int) -> None:
        """Follow the server's clock: it must move, and be seen when it is set."""
        expected = self._server_ns()
        self._worst = None
        if told_ns == self._now_ns and now - self._now_mono > MISSED * NS:
            self._worst = _CLOCK_FROZEN
            return
        if told_ns == self._now_ns:
            return
        if expected and abs(told_ns - expected) > self.tolerance_ns:
            self.host.count("opcua.clock_jump", f"{(told_ns - expected) / NS:.1f} s")
            for device in self.devices.values():
                for point in device.points.values():
                    point.restart_clock()
        self._now_ns, self._now_mono = told_ns, now

    def _server_ns(self) -> int:
        """Return the server's wall time as it must be now, 0 when not known."""
        if not self._now_ns:
            return 0
        return self._now_ns + self.host.clock.mono_ns() - self._now_mono

    # --- telling --------------------------------------------------------------

    def _report_all(self, now: int) -> None:
        for device in self.devices.values():
            worst = self._worst
            heart = device.heart
            if heart is not None and heart.moved_ns + heart.max_ns < now:
                worst = worst or _FROZEN
            for point in device.points.values():
                self._report(point, worst)

    def _report(self, point: Point, worst: Verdict | None = None) -> None:
        value, verdict = point.verdict(self._server_ns(), self.tolerance_ns)
        if worst is not None and worst.quality > verdict.quality:
            value, verdict = None, worst
        self.host.report(point.handle, value, verdict.quality, verdict.reason)

    def _link(self, up: bool, reason: str) -> None:
        self.reason = reason
        if self.up is not up:
            self.up = up
            self._heard = self._heard or up
            for uid in self.devices:
                self.host.link_state(uid, up, reason)

    def _lost(self, reason: str) -> None:
        if self.up:
            self.counters["lost"] += 1
        self._link(False, reason)
        quality = Quality.FAULT if self._heard else Quality.NOT_PRESENT
        for device in self.devices.values():
            for point in device.points.values():
                point.clear(Verdict(quality, reason))
                self.host.report(point.handle, None, quality, reason)

    # --- commands -------------------------------------------------------------

    async def command(self, command: Command) -> None:
        """Write, then ask the state node until it says the same (requirement 1.15)."""
        device = self.devices.get(command.device_uid)
        point = device.points.get(command.entity_uid) if device is not None else None
        session = self._session
        refusal = ""
        if point is None or point.map.write is None:
            refusal = "opcua.no_such_output"
        elif not isinstance(command.value, bool):
            refusal = "opcua.value"
        elif session is None or not self.up:
            refusal = "opcua.link_down"
        if refusal or point is None or session is None or point.map.write is None:
            self.host.result(command.id, CommandState.FAILED, refusal)
            return
        try:
            await self._carry_out(command, session, point.map)
        except (OpcUaError, nodes.NodeError) as failure:
            reason = getattr(failure, "reason", "opcua.no_such_node")
            self.host.result(command.id, CommandState.FAILED, reason)

    async def _carry_out(self, command: Command, session: Session, said: Map) -> None:
        assert said.write is not None  # noqa: S101 - command() has looked
        word = said.on if command.value else said.off
        target = nodes.resolve(said.write, session.namespaces)
        state = nodes.resolve(said.node, session.namespaces)
        status = await session.write(target, word)
        if not status.is_good():
            reason = judge(status.value).reason
            self.host.result(command.id, CommandState.FAILED, reason)
            return
        self.host.result(command.id, CommandState.DELIVERED, "")
        while self.host.clock.mono_ns() < command.deadline_ns:
            data = (await session.read([state]))[0]
            bad = data.StatusCode is not None and not data.StatusCode.is_good()
            value = data.Value.Value if data.Value is not None else None
            if not bad and type(value) is type(word) and value == word:
                self.host.result(command.id, CommandState.CONFIRMED, "")
                return
            await self.host.timer.sleep(READ_BACK_S)
        self.host.result(command.id, CommandState.FAILED, "opcua.no_read_back")
