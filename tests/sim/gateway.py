"""The gateway's and the notifier's side: replicas, acts, delivery results."""

from collections.abc import Callable
from random import Random

from core import state as states
from core.journal import envelope as envelopes
from core.journal import fold
from core.link import messages as m
from core.link.pair import PairLane
from core.response.events import NoticeQueued
from core.state import SiteState
from tests.sim.machine import Life


class Replica:
    """Fold what the core streams; must always be what the core holds."""

    def __init__(self, name: str, random: Random) -> None:
        self.name, self.random = name, random
        self.state: SiteState | None = None
        self.durable = 0
        self.ends: list[PairLane] = []
        self.replies: dict[str, m.ActReply] = {}
        self.twice: list[str] = []
        """Ids of acts that were answered more than once."""
        self._parts = b""
        self.later: Callable[[float, Callable[[], None]], None]

    def connect(self, life: Life) -> None:
        """Open a session, which brings a snapshot."""
        self.state, self._parts = None, b""
        self.ends = life.connect(self.name, self._receive, self._ended)
        role = self.name.partition(":")[0]
        self.ends[0].send(m.Hello(self.name, role, "sim"))

    def drop(self) -> None:
        """End the process."""
        ends, self.ends = self.ends, []
        for end in ends:
            end.close("died")

    def ask(self, request: m.ActRequest) -> bool:
        """Send an act; returns whether there is a link."""
        if self.ends:
            self.ends[0].send(request)
        return bool(self.ends)

    def _ended(self, _reason: str) -> None:
        self.ends, self.state = [], None

    def _receive(self, message: m.Message) -> None:
        if isinstance(message, m.Snapshot):
            self._parts += message.state
            if not message.more:
                self.state, self._parts = states.load(self._parts), b""
        elif isinstance(message, m.Events):
            self.durable = message.durable
            for data in message.envelopes:
                self._fold(data)
        elif isinstance(message, m.ActReply):
            if message.id in self.replies:
                self.twice.append(message.id)
            self.replies[message.id] = message

    def _fold(self, data: bytes) -> None:
        if self.state is None:
            return
        body = fold.replay(self.state, envelopes.decode(data))
        if self.name == "notifier" and isinstance(body, NoticeQueued):
            self._deliver(body)

    def _deliver(self, body: NoticeQueued) -> None:
        for channel in body.channels:
            end = self.random.choice(("delivered", "sent", "failed", "seen"))
            for number, state in enumerate(("sent", end)):
                self._result(0.3 + number, body.notice_id, channel, state)

    def _result(self, after: float, notice: str, channel: str, state: str) -> None:
        result = m.NoticeResult(notice, channel, state)

        def tell() -> None:
            if self.ends:
                self.ends[0].send(result)

        self.later(after, tell)
