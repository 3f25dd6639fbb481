"""The synthetic alarm that feeds the watchdog: probe, limit, alarm, command.

It runs through the same rooms, desk and lanes as a real one, on a kernel of
its own whose journal forgets, so that nothing of it is ever stored or shown.
"""

from collections.abc import Callable

from core import config
from core.alarms.chatter import Chatter
from core.alarms.events import AlarmRaised, AlarmRepeated
from core.api.model import Device, Entity, EntityKind, Output, OutputKind
from core.clock import NS, Clock
from core.config import Names
from core.journal.envelope import Effect, Envelope
from core.kernel import Kernel
from core.link import messages as m
from core.link import pair
from core.link.pair import Later, PairLane
from core.link.server import Server
from core.processes.desk import Desk
from core.registry.ids import Ids

#: The loop must have been run through within this, or the watchdog starves.
LIMIT_S = 5.0
_HOST, _DEVICE, _INPUT, _OUTPUT = "host:probe", "probe", "input", "output"
_NAMES = Names(zh="自检", en="self-test")


class _Forget:
    """Be a journal that keeps nothing."""

    durable_seq = 0

    def accept(
        self, seq: int, data: bytes, effect: Effect, key: str, kind: str
    ) -> None:
        """Take an event and forget it."""
        self.durable_seq = seq

    def healthy(self) -> bool:
        """Say yes: nothing is to be kept."""
        return True


def _bundle() -> config.Bundle:
    limit = config.Limit(condition="high", kind="probe", unit="", above=1.0)
    return config.Bundle(
        site=config.Site(
            id="probe",
            names=_NAMES,
            levels=(config.Level(id="probe", names=_NAMES),),
            zones=(config.Zone(id="probe", names=_NAMES, level="probe", polygon=()),),
        ),
        quantities=(
            config.Quantity(id="probe", names=_NAMES, unit="", limits=(limit,)),
        ),
        devices=(config.DeviceRule(integration="probe", uid=_DEVICE, zone="probe"),),
    )


def _device() -> Device:
    siren = Output(kind=OutputKind.SIREN, ex_rated=True, contact_zone="probe")
    return Device(
        uid=_DEVICE,
        name=_DEVICE,
        entities=(
            Entity(uid=_INPUT, name=_INPUT, kind=EntityKind.SENSOR, quantity="probe"),
            Entity(uid=_OUTPUT, name=_OUTPUT, kind=EntityKind.OUTPUT, output=siren),
        ),
    )


class Probe:
    """Send a reading over its limit and wait for the command it causes."""

    def __init__(self, clock: Clock, later: Later, limit_s: float = LIMIT_S) -> None:
        self._limit_ns = int(limit_s * NS)
        self._clock = clock
        self._server = Server(self._message, lambda _peer, _reason: None)
        self.kernel = Kernel(clock, Ids(clock), _Forget(), self._server)
        self._desk = Desk(self.kernel, self._server, lambda _names: {})
        hub = self.kernel.hub
        hub.on(AlarmRaised, self._alarm)
        hub.on(AlarmRepeated, self._alarm)
        hub.load(_bundle())
        hub.recover(clean=True)
        self._ends: list[PairLane] = []
        self._server.adopt(_HOST, self._lane(later), both=True)
        self._ends[0].send(m.Declare(_device(), {_INPUT: 1, _OUTPUT: 2}))
        self.done_ns = clock.mono_ns()
        """Boot time when a command last came through."""

    def beat(self) -> None:
        """Start one more run; call it well within the limit."""
        self.kernel.hub.advance()
        # Its alarm comes every few seconds by design: that is no chattering.
        self.kernel.alarms.chatter = Chatter()
        self._report(2.0)

    def well(self) -> bool:
        """Say whether the loop was run through within its limit."""
        return self._clock.mono_ns() - self.done_ns <= self._limit_ns

    def _lane(
        self, later: Later
    ) -> Callable[[Callable[[m.Message], None], Callable[[str], None]], PairLane]:
        def make(
            receive: Callable[[m.Message], None], ended: Callable[[str], None]
        ) -> PairLane:
            ours, theirs = pair.connect(later)
            ours.bind(receive, ended)
            theirs.bind(self._host, lambda _reason: None)
            self._ends.append(theirs)
            return ours

        return make

    def _message(self, peer: str, message: m.Message) -> None:
        self._desk.receive(peer, message)

    def _report(self, value: float) -> None:
        now = self._clock.mono_ns()
        self._ends[1].send(m.Readings(now, [m.Row(1, value)]))

    def _alarm(self, _body: AlarmRaised | AlarmRepeated, _envelope: Envelope) -> None:
        output = self.kernel.registry.find(_HOST, _DEVICE, _OUTPUT)
        if output is not None:
            self.kernel.commands.order(output, True, why="probe")

    def _host(self, message: m.Message) -> None:
        """Be the device: it does as told, and its input falls back."""
        if isinstance(message, m.Execute):
            self._ends[0].send(m.Result(message.command.id, "confirmed"))
            self._report(0.0)
            self.done_ns = self._clock.mono_ns()
