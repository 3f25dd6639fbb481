"""The session with the geometry worker: what it was told, what it answered, when.

An answer counts only while the worker speaks, leaves nothing lying, and has seen
the work as it is now; else nobody knows.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from core.clock import NS
from core.geometry.shapes import Found, Hazard, Rule, Work
from core.hub import Hub
from core.link import messages as m

#: A worker that has said nothing for so long is not believed any more.
SILENT_S: Final = 5.0
#: Works, or hazards, in one message; messages that may lack their answer.
BATCH: Final = 50
WINDOW: Final = 4


class Ground(NamedTuple):
    """What the works stand on: levels' heights, rules by list, hazards."""

    levels: dict[str, float]
    rules: dict[str, list[Rule]]
    hazards: tuple[Hazard, ...]


class Survey:
    """Tell the worker what changed, at most so much at once; keep its answers."""

    def __init__(
        self,
        hub: Hub,
        ground: Callable[[], Ground],
        everything: Callable[[], Iterable[str]],
        work_of: Callable[[str], Work | None],
        changed: Callable[[Iterable[str]], None],
    ) -> None:
        self._hub, self._changed = hub, changed
        self._ground, self._everything, self._work_of = ground, everything, work_of
        self.peer = ""
        self._begun = False
        """Whether the plan of now was told, and its works at least wait."""
        self._stamp = self._heard_ns = 0
        self.moved_ns = 0
        """When the worker last came on: answered what it owed, or owed nothing."""
        self._flight: deque[tuple[int, int]] = deque()
        """Stamp and boot ns of each message that has no answer yet."""
        self._rules: frozenset[str] = frozenset()
        self._queue: dict[str, Work | None] = {}
        self._sent: dict[str, tuple[Work, int]] = {}
        self._found: dict[str, tuple[int, Found]] = {}
        self._dirty: dict[str, None] = {}

    # --- answers --------------------------------------------------------------

    def found(self, permit_id: str) -> Found | None:
        """Return what the worker found of a work as it is now; None: nobody knows."""
        if not self.lives() or permit_id in self._queue:
            return None
        if permit_id in self._dirty and self._work_of(permit_id) != self.work(
            permit_id
        ):
            return None
        sent, told = self._sent.get(permit_id), self._found.get(permit_id)
        if sent is None or told is None or told[0] < sent[1] or told[1].count < 0:
            return None
        return told[1]

    def work(self, permit_id: str) -> Work | None:
        """Return a work as the worker was told it."""
        sent = self._sent.get(permit_id)
        return sent[0] if sent else None

    def works(self) -> list[str]:
        """Return the permits that the worker was told of."""
        return list(self._sent)

    def near(self, permit_id: str) -> set[str]:
        """Return the permits that a permit was last found to have pairs with."""
        told = self._found.get(permit_id)
        pairs = told[1].pairs if told else ()
        return {name for pair in pairs for name in (pair.work, pair.other)}

    def lives(self) -> bool:
        """Say whether the worker is there, speaks, and has left nothing lying."""
        now, limit = self._hub.clock.mono_ns(), int(SILENT_S * NS)
        if not self.peer or not self._begun or now - self._heard_ns > limit:
            return False
        return not self._flight or now - self._flight[0][1] <= limit

    # --- the worker's side ----------------------------------------------------

    def hello(self, peer: str) -> None:
        """Hear that a worker opened its session; it knows nothing yet."""
        self.peer = peer
        self._heard_ns = self.moved_ns = self._hub.clock.mono_ns()
        self.begin()

    def lost(self, peer: str) -> bool:
        """Hear that a link ended; True when it was the worker's: all is unknown."""
        if peer != self.peer:
            return False
        self.peer = ""
        self._clear()
        return True

    def receive(self, peer: str, message: m.Checked) -> None:
        """Take an answer, or the word that the worker lives."""
        if peer != self.peer or message.stamp > self._stamp:
            return
        self._heard_ns = self._hub.clock.mono_ns()
        for found in message.found:
            if found.work in self._sent:
                self._found[found.work] = message.stamp, found
        if not self._flight:
            self.moved_ns = self._heard_ns
        while self._flight and self._flight[0][0] <= message.stamp and not message.more:
            self._flight.popleft()
            self.moved_ns = self._heard_ns
        self._pump()
        if message.found:
            self._changed([found.work for found in message.found])

    # --- our side -------------------------------------------------------------

    def void(self) -> None:
        """Believe nothing until everything is told anew, at the end of this turn."""
        self._begun = False
        self._hub.after(0.0, "survey.begin", self.begin)

    def begin(self) -> None:
        """Tell the plan and every work anew."""
        self._clear()
        self._begun = True
        if not self.peer:
            return
        ground = self._ground()
        self._rules = frozenset(ground.rules)
        self._send(m.Plan(self._next(), ground.levels, ground.rules))
        for at in range(0, len(ground.hazards), BATCH):
            part = list(ground.hazards[at : at + BATCH])
            self._send(m.Works(self._next(), hazards=part))
        for permit_id in self._everything():
            work = self._work_of(permit_id)
            if work is not None:
                self._queue[permit_id] = work
        self._pump()

    def mark(self, permit_id: str) -> None:
        """Hear that a permit may be another work now; unknown until it is looked at."""
        if not self._dirty:
            self._hub.after(0.0, "survey.look", self._look)
        self._dirty[permit_id] = None

    def _look(self) -> None:
        dirty = list(self._dirty)
        self._dirty.clear()
        near = {name for permit_id in dirty for name in self.near(permit_id)}
        for permit_id in dirty:
            work = self._work_of(permit_id)
            if work is not None and work.rules not in self._rules and self.peer:
                self.begin()  # a version of a pack that the worker does not know
                break
            if work != self.work(permit_id) or permit_id in self._queue:
                self._queue[permit_id] = work
        self._pump()
        self._changed(sorted(near | set(dirty)))

    def _pump(self) -> None:
        """Send what waits, as far as the worker keeps up."""
        if not self.peer:
            self._queue.clear()
        while self._queue and len(self._flight) < WINDOW:
            part = [(name, self._queue.pop(name)) for name in [*self._queue][:BATCH]]
            stamp = self._next()
            for name, work in part:
                self._found.pop(name, None)
                self._sent.pop(name, None)
                if work is not None:
                    self._sent[name] = work, stamp
            changed = [work for _, work in part if work is not None]
            gone = [name for name, work in part if work is None]
            self._send(m.Works(stamp, changed=changed, gone=gone))

    def _clear(self) -> None:
        for told in (self._flight, self._queue, self._sent, self._found, self._dirty):
            told.clear()

    def _next(self) -> int:
        self._stamp += 1
        return self._stamp

    def _send(self, message: m.Plan | m.Works) -> None:
        self._flight.append((message.stamp, self._hub.clock.mono_ns()))
        self._hub.links.send(self.peer, message)
