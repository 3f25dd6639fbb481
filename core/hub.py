"""The hub's kernel: rooms joined by events, without any input or output.

It is synchronous and single-threaded. The safety process drives it on a real
loop; the simulation drives it on virtual time, where a seed is a run (ADR 2).
"""

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

import msgspec

from core import config, state
from core.clock import NS, Clock
from core.journal import envelope as envelopes
from core.journal import fold
from core.journal.envelope import Cause, Effect, Envelope
from core.journal.events import Event, encode_body
from core.link.messages import Message
from core.registry.ids import Ids
from core.timers import Timers

#: Events that one outside input may cause before it is called a loop.
_CASCADE_LIMIT = 100_000
CORE = Cause(actor="hub:core")

#: Gaps of this epoch's journal that are remembered.
_LOST_KEPT = 1_000

EventT = TypeVar("EventT", bound=Event)
Listener = Callable[[Any, Envelope], None]


class JournalDoor(Protocol):
    """Where accepted events go to become durable."""

    durable_seq: int

    def accept(
        self, seq: int, data: bytes, effect: Effect, key: str, kind: str
    ) -> None:
        """Take an event's bytes; never blocks, never raises for a disk.

        ``key`` is what it is about and ``kind`` its type: of those alike, a
        full backlog keeps the last.
        """

    def healthy(self) -> bool:
        """Say whether a permissive act can be made durable now."""


class LinkDoor(Protocol):
    """Where messages to other processes go."""

    def send(self, peer: str, message: Message) -> None:
        """Queue a message on the safety lane of a peer; unknown peers are ignored."""

    def peers(self, role: str) -> list[str]:
        """Return the connected peers of a role: host, gateway, archive, …"""


class Room(Protocol):
    """What every room of the kernel offers."""

    def arm(self) -> None:
        """Rebuild what derives from the bundle and the registry."""

    def recover(self, clean: bool) -> None:
        """Take up what the replayed state owes, after a start."""

    def tick(self) -> None:
        """Evaluate levels again; once a second (R1)."""


class Hub:
    """Order, fold and dispatch events; own the rooms.

    Events are dispatched run-to-completion: a listener's own events wait until
    the present one has been seen by all. Listeners of an event act on
    *accepted*; what is permissive waits with `when_durable`.
    """

    def __init__(
        self, clock: Clock, ids: Ids, journal: JournalDoor, links: LinkDoor
    ) -> None:
        self.clock = clock
        self.ids = ids
        self.journal = journal
        self.links = links
        self.state = state.SiteState()
        self.bundle = config.EMPTY
        self.timers = Timers()
        self.rooms: list[Room] = []
        self._listeners: dict[type[Event], list[Listener]] = {}
        self._ahead: dict[type[Event], int] = {}
        """How many of an event's listeners are ahead of the others."""
        self._derived: dict[type[Event], list[Callable[[Any], object]]] = {}
        self._everything: list[Callable[[Event, Envelope, bytes], None]] = []
        self._queue: deque[tuple[Event, Envelope]] = deque()
        self._unwritten: list[tuple[Event, Envelope]] = []
        """Events of the present dispatch: a siren is ordered before they are filed."""
        self._dispatching = False
        self.failed: Callable[[Exception], None] = _raise
        """Who hears of a room's error; until someone does, it is raised."""
        self._waiting: deque[tuple[int, Callable[[bool], None]]] = deque()
        self._undo: dict[type[Event], Callable[[Any], None]] = {}
        self._mends: list[Callable[[int, int], None]] = []
        self._unproven: deque[tuple[int, Event]] = deque()
        self._lost: deque[tuple[int, int]] = deque(maxlen=_LOST_KEPT)
        self._acting: tuple[Cause, int] | None = None

    # --- events ---------------------------------------------------------------

    def emit(
        self, body: Event, cause: Cause = CORE, act_ns: int | None = None
    ) -> Envelope:
        """Accept an event: order it, fold it, hand it to disk and to listeners."""
        if act_ns is None and self._acting is not None and cause is self._acting[0]:
            act_ns = self._acting[1]
        wrapped = Envelope(
            epoch=self.state.epoch,
            seq=self.state.seq + 1,
            id=self.ids.new(),
            type=body.name_,
            version=body.version_,
            wall_ns=self.clock.wall_ns(),
            sync=self.clock.synced(),
            boot_id=self.clock.boot_id,
            mono_ns=self.clock.mono_ns(),
            cause=cause,
            effect=body.effect_,
            act_ns=act_ns,
            body=encode_body(body),  # what cannot be written is never folded
        )
        fold.apply(self.state, body, wrapped)
        for derive in self._derived.get(type(body), ()):
            derive(body)
        if body.effect_ is Effect.PERMISSIVE:
            self._unproven.append((wrapped.seq, body))
        self._queue.append((body, wrapped))
        self._unwritten.append((body, wrapped))
        if not self._dispatching:
            self._dispatch()
        return wrapped

    def deafen(self) -> None:
        """Forget every listener: who plays the past again hears it alone."""
        self._listeners.clear()
        self._ahead.clear()

    def replay(self, wrapped: Envelope) -> Event:
        """Fold an event of the past and let listeners hear it; nothing is written."""
        body = fold.replay(self.state, wrapped)
        for derive in self._derived.get(type(body), ()):
            derive(body)
        self._queue.append((body, wrapped))
        if not self._dispatching:
            self._dispatch()
        return body

    @contextlib.contextmanager
    def acting(self, cause: Cause, act_ns: int | None) -> Iterator[None]:
        """Mark the events of a late act, by their very cause, with its own time."""
        self._acting = None if act_ns is None else (cause, act_ns)
        try:
            yield
        finally:
            self._acting = None

    def on(
        self,
        kind: type[EventT],
        listener: Callable[[EventT, Envelope], None],
        *,
        ahead: bool = False,
    ) -> None:
        """Call ``listener`` for every accepted event of a type, in order.

        Those that are ``ahead`` come first, in their own order: the law's holds,
        then what orders a siren, and only then all bookkeeping.
        """
        listeners = self._listeners.setdefault(kind, [])
        first = self._ahead.get(kind, 0)
        listeners.insert(first if ahead else len(listeners), listener)
        self._ahead[kind] = first + ahead

    def derive(
        self, kinds: Iterable[type[Event]], listener: Callable[[Any], object]
    ) -> None:
        """Call ``listener`` as soon as an event of these types is folded.

        Only for tables that derive from the state, so that whoever acts on the
        event finds them true: it emits nothing.
        """
        for kind in kinds:
            self._derived.setdefault(kind, []).append(listener)

    def on_everything(self, listener: Callable[[Event, Envelope, bytes], None]) -> None:
        """Call ``listener`` for every accepted event with its stored bytes."""
        self._everything.append(listener)

    def _dispatch(self) -> None:
        self._dispatching = True
        failed: list[Exception] = []
        try:
            for _ in range(_CASCADE_LIMIT):
                if not self._queue:
                    break
                body, wrapped = self._queue.popleft()
                for listener in self._listeners.get(type(body), ()):
                    try:
                        listener(body, wrapped)
                    except Exception as error:  # noqa: BLE001 - as in `_try`
                        failed.append(error)
            else:
                self._queue.clear()
                raise RuntimeError(
                    f"{_CASCADE_LIMIT} events from one input: {body.name_} loops"
                )
        finally:
            self._dispatching = False
            self._write()
        self._tell(failed)

    def _write(self) -> None:
        unwritten, self._unwritten = self._unwritten, []
        for body, wrapped in unwritten:
            data = envelopes.encode(wrapped)
            for listener in self._everything:
                listener(body, wrapped, data)
            self.journal.accept(
                wrapped.seq, data, body.effect_, body.merge_key(), body.name_
            )

    def _try(
        self, failed: list[Exception], work: Callable[..., object], *args: object
    ) -> None:
        """Do one room's part: its error keeps nothing from the others."""
        try:
            work(*args)
        except Exception as error:  # noqa: BLE001 - told once all had their turn
            failed.append(error)

    def _tell(self, failed: list[Exception]) -> None:
        for error in failed:
            self.failed(error)

    # --- durable --------------------------------------------------------------

    def when_durable(self, seq: int, then: Callable[[bool], None]) -> None:
        """Call ``then(True)`` once ``seq`` is on disk, ``then(False)`` if it fails."""
        if seq <= self.journal.durable_seq:
            then(not any(first <= seq <= last for first, last in self._lost))
        else:
            self._waiting.append((seq, then))

    def undo(self, kind: type[EventT], mend: Callable[[EventT], None]) -> None:
        """Say how a permissive event is taken back when the disk fails it."""
        self._undo[kind] = mend

    def durable(self, seq: int) -> None:
        """Hear from the journal that all up to ``seq``, but gaps, is on disk."""
        while self._unproven and self._unproven[0][0] <= seq:
            self._unproven.popleft()
        while self._waiting and self._waiting[0][0] <= seq:
            self._waiting.popleft()[1](True)

    def not_durable(self) -> None:
        """Hear that the disk fails: take back every permissive event unproven."""
        self._refuse(0, self.state.seq)

    def lost(self, first: int, last: int) -> None:
        """Hear that events were never written: the permissive ones are taken back."""
        self._lost.append((first, last))
        self._refuse(first, last)
        failed: list[Exception] = []
        for mend in self._mends:
            self._try(failed, mend, first, last)
        self._tell(failed)

    def when_lost(self, mend: Callable[[int, int], None]) -> None:
        """Call ``mend(first, last)`` to say again what still stands of lost events."""
        self._mends.append(mend)

    def _refuse(self, first: int, last: int) -> None:
        taken = [body for seq, body in self._unproven if first <= seq <= last]
        waiting = [then for seq, then in self._waiting if first <= seq <= last]
        self._unproven = deque(
            each for each in self._unproven if not first <= each[0] <= last
        )
        self._waiting = deque(
            each for each in self._waiting if not first <= each[0] <= last
        )
        failed: list[Exception] = []
        for body in taken:
            mend = self._undo.get(type(body))
            if mend is not None:
                self._try(failed, mend, body)
        for then in waiting:
            self._try(failed, then, False)
        self._tell(failed)

    # --- time -----------------------------------------------------------------

    def after(self, seconds: float, key: str, callback: Callable[[], None]) -> None:
        """Arm a timer ``seconds`` of boot time from now."""
        self.timers.at(self.clock.mono_ns() + int(seconds * NS), key, callback)

    def step(self) -> bool:
        """Run the first due timer, if there is one; say whether there was."""
        callback = self.timers.pop_due(self.clock.mono_ns())
        if callback is not None:
            callback()
        return callback is not None

    def advance(self) -> int | None:
        """Run every due timer; return when the next falls due (boot ns)."""
        while self.step():
            pass
        return self.timers.next_ns()

    # --- life -----------------------------------------------------------------

    def load(self, bundle: config.Bundle) -> None:
        """Put a bundle in force and let every room derive its tables anew."""
        self.bundle = bundle
        for room in self.rooms:
            room.arm()

    def recover(self, clean: bool) -> None:
        """Let every room take up what the replayed state owes; start the ticks."""
        failed: list[Exception] = []
        for room in self.rooms:
            self._try(failed, room.recover, clean)
        for room in self.rooms:
            self._try(failed, room.tick)
        self._tick_at(self.clock.mono_ns() + NS, 0)
        self._tell(failed)

    def _tick_at(self, due: int, number: int) -> None:
        self.timers.at(due, "hub.tick", lambda: self._tick(due, number))

    def _tick(self, due: int, number: int) -> None:
        """Let one room tick; the next one is due at once, by a timer of its own.

        So whoever drives the hub can hear an alarm between two of them.
        """
        began = due if number else self.clock.mono_ns()
        # First of all: no error may end the ticks.
        if number + 1 < len(self.rooms):
            self._tick_at(began, number + 1)
        else:
            self._tick_at(began + NS, 0)
        failed: list[Exception] = []
        for room in self.rooms[number : number + 1]:
            self._try(failed, room.tick)
        self._tell(failed)

    def snapshot(self) -> bytes:
        """Return the state's bytes at its present (epoch, seq)."""
        return state.dump(self.state)


def _raise(error: Exception) -> None:
    raise error


def encode_act(body: msgspec.Struct) -> bytes:
    """Return an act's bytes for an ActRequest."""
    return msgspec.msgpack.encode(body)
