"""The geometry worker: a process of its own, so that core stays free of shapely."""

import asyncio
import os
import resource
import sys
from typing import Final

from core.processes import lean  # isort: split

from core.clock import NS
from core.link import messages as m
from core.link.client import Client
from core.processes.child import Control, rename
from core.processes.children import NICE

BEAT_S: Final = 1.0
#: What the process may allocate; beyond it, it ends and starts anew.
MAX_BYTES: Final = 512 << 20

__all__ = ["Worker", "lean", "main"]


class Worker:
    """Measure what core sends, and say each second that it still does."""

    def __init__(self, control: Control) -> None:
        # Late: numpy starts threads for mathematics that nobody needs here.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        from core.geometry.surveyor import Surveyor

        self._control = control
        self._make = Surveyor
        self._surveyor = Surveyor()
        self._client = Client(self._hello, self._message)
        self._loop: asyncio.AbstractEventLoop

    async def run(self) -> int:
        """Serve until the keeper says stop."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_end)
        self._control.listen(
            lambda _name, lanes, socks: self._client.attach(lanes, socks)
        )
        self._beat()
        await self._control.stopping.wait()
        self._client.detach("stopped")
        self._control.close()
        return 0

    def _hello(self) -> m.Hello:
        # Another core, or another link to it, tells everything anew.
        self._surveyor = self._make()
        return m.Hello(name="geometry", role="geometry", version="1")

    def _message(self, message: m.Message) -> None:
        for answer in self._surveyor.take(message):
            self._client.send(answer)

    def _beat(self) -> None:
        pause = self._control.clock.real_s(int(BEAT_S * NS))
        self._loop.call_later(pause, self._beat)
        self._client.send(self._surveyor.beat())


def _end(_loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """End on an error: half an answer is none, and a fresh start is told all."""
    sys.stderr.write(f"geometry: {context.get('exception') or context['message']!r}\n")
    sys.stderr.flush()
    os._exit(70)


def main() -> int:
    """Run the geometry worker as the keeper's child."""
    control = Control.greet()
    rename("sh-geometry")
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_BYTES, MAX_BYTES))
    return asyncio.run(Worker(control).run())


if __name__ == "__main__":
    sys.exit(main())
