"""The geometry worker's side: the real engine, answering at once."""

from core.geometry.surveyor import Surveyor
from core.link import messages as m
from core.link.pair import PairLane
from tests.sim.machine import Life

NAME = "geometry"


class Geometer:
    """Measure what core sends; forgets all with each session."""

    def __init__(self) -> None:
        self.ends: list[PairLane] = []
        self.hanging = False
        self._surveyor = Surveyor()

    def connect(self, life: Life) -> None:
        """Open a session, as the keeper's child does."""
        self._surveyor, self.hanging = Surveyor(), False
        self.ends = life.connect(NAME, self._receive, self._ended)
        self.ends[0].send(m.Hello(NAME, NAME, "sim"))

    def drop(self) -> None:
        """End the process."""
        ends, self.ends = self.ends, []
        for end in ends:
            end.close("died")

    def beat(self) -> None:
        """Say that it lives; once a second."""
        if self.ends and not self.hanging:
            self.ends[0].send(self._surveyor.beat())

    def _ended(self, _reason: str) -> None:
        self.ends = []

    def _receive(self, message: m.Message) -> None:
        if self.ends and not self.hanging:
            for answer in self._surveyor.take(message):
                self.ends[0].send(answer)
