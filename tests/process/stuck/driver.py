"""Play one failure: raise, return, hang, spin; in the run or in a command."""

import itertools
import threading
from typing import NoReturn

from core.api import (
    Command,
    CommandState,
    Device,
    Entity,
    EntityKind,
    Integration,
    Output,
    OutputKind,
)

SIREN = Output(kind=OutputKind.SIREN, ex_rated=True)


def hang() -> None:
    """Wait for what never comes, and let nothing else run."""
    threading.Event().wait()


def spin() -> NoReturn:
    """Turn for ever."""
    while True:
        pass


def fail() -> NoReturn:
    """Raise what nobody foresaw."""
    raise ZeroDivisionError("a driver's own mistake")


class Stuck(Integration):
    """Report a gas of 0, then do what the options say."""

    async def run(self) -> None:
        """Serve one meter and one siren."""
        how = str(self.host.options["how"])
        gas = Entity(
            uid="gas",
            name="Gas",
            kind=EntityKind.GAS,
            quantity="h2s",
            unit="ppm",
            max_age_s=3.0,
            critical=True,
        )
        siren = Entity(uid="siren", name="S", kind=EntityKind.OUTPUT, output=SIREN)
        uid = f"meter-{how}"
        self.host.declare(Device(uid=uid, name=uid, entities=(gas, siren)))
        handle = self.host.handle(uid, "gas")
        self.host.report(handle, 0.0)
        await self.host.timer.sleep(0.2)
        self._do(how.removeprefix("run_"))
        for number in itertools.count():
            self.host.report(handle, 90.0 + number % 9 if how == "well" else 0.0)
            await self.host.timer.sleep(0.5)

    async def command(self, command: Command) -> None:
        """Confirm, unless the options say otherwise."""
        self._do(str(self.host.options["how"]).removeprefix("command_"))
        self.host.result(command.id, CommandState.CONFIRMED)

    def _do(self, how: str) -> None:
        {"hang": hang, "spin": spin, "fail": fail}.get(how, lambda: None)()
