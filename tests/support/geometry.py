"""A geometry worker in the test's own process: the real engine, answering at once."""

from core.geometry.surveyor import Surveyor
from core.link import messages as m
from tests.support.kernel import Bench

PEER = "geometry"


class GeometryWorker:
    """Answer what core sends by the recorded links; hang, die and come back."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.surveyor = Surveyor()
        self.alive = self.hanging = False
        self._read = 0

    def connect(self) -> None:
        """Open a session, knowing nothing."""
        self.surveyor = Surveyor()
        self.alive, self.hanging = True, False
        self._read = len(self.bench.links.sent)
        self.bench.kernel.conflicts.hello(PEER)
        self.work()

    def work(self) -> None:
        """Answer all that came."""
        self.bench.settle()
        while self.alive and not self.hanging:
            sent = self.bench.links.sent[self._read :]
            if not sent:
                break
            self._read += len(sent)
            for peer, message in sent:
                if peer == PEER:
                    self._answer(message)
            self.bench.settle()

    def answer_one(self) -> None:
        """Answer the next message alone, as one that is far behind."""
        while self._read < len(self.bench.links.sent):
            peer, message = self.bench.links.sent[self._read]
            self._read += 1
            if peer == PEER:
                self._answer(message)
                break
        self.bench.settle()

    def _answer(self, message: m.Message) -> None:
        for answer in self.surveyor.take(message):
            self.bench.kernel.conflicts.receive(PEER, answer)

    def pass_time(self, seconds: int) -> None:
        """Let virtual time go on second by second, with the word that it lives."""
        for _ in range(seconds):
            if self.alive and not self.hanging:
                self.bench.kernel.conflicts.receive(PEER, self.surveyor.beat())
            self.bench.advance(1.0)
            self.work()

    def die(self) -> None:
        """End without a word: the link ends with it."""
        self.alive = False
        self.bench.kernel.conflicts.lost(PEER)
        self.bench.settle()
