"""The worker's side of the link, without a loop or a socket: messages in, answers out.

The worker drives it with a real link; the simulation calls it at once.
"""

from collections.abc import Iterator
from typing import Final

from core.geometry.engine import Engine
from core.link import messages as m

#: What is found of so many works goes into one frame: at most 20 pairs of each.
_FOUND: Final = 200


class Surveyor:
    """Keep an engine as core tells it; answer each message in order."""

    def __init__(self) -> None:
        self.engine = Engine()
        self._stamp = 0

    def take(self, message: m.Message) -> Iterator[m.Checked]:
        """Take one message; yields the answer, in parts when it is long."""
        if isinstance(message, m.Plan):
            self.engine.begin(
                message.levels, {k: tuple(v) for k, v in message.rules.items()}
            )
            found = []
        elif isinstance(message, m.Works):
            self.engine.furnish(message.hazards)
            found = self.engine.update(message.changed, message.gone)
        else:
            return
        self._stamp = message.stamp
        for at in range(0, max(len(found), 1), _FOUND):
            part = found[at : at + _FOUND]
            yield m.Checked(message.stamp, part, more=at + _FOUND < len(found))

    def beat(self) -> m.Checked:
        """Return the word that it lives, and how far it has come."""
        return m.Checked(self._stamp)
