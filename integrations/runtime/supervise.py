"""Run one integration: start it, start it again by the class of its error."""

import asyncio
import logging
from collections.abc import Callable

from core.api import (
    AuthError,
    Command,
    CommandState,
    ConfigError,
    DeviceError,
    Integration,
)
from core.clock import NS
from core.processes.budget import Budget
from integrations.runtime.host import HostLink

log = logging.getLogger(__name__)
#: Unforeseen errors of the driver within 10 minutes that end the process.
CRASHES = 5


class DriverCrashed(Exception):
    """The driver failed too often: the keeper starts the process afresh."""


class Runner:
    """Own the integration and the tasks of its commands."""

    def __init__(self, host: HostLink, make: Callable[[], Integration]) -> None:
        self._host, self._make = host, make
        self.integration: Integration | None = None
        self._commands: dict[str, asyncio.Task[None]] = {}
        self._pauses = Budget(limit=CRASHES)
        self._crashes = Budget(limit=CRASHES)
        host.execute = self._execute

    async def run(self) -> None:
        """Serve until cancelled; raises DriverCrashed when the driver is broken."""
        try:
            while True:
                await self._once()
        finally:
            for task in list(self._commands.values()):
                task.cancel()
            await asyncio.gather(*self._commands.values(), return_exceptions=True)

    async def _once(self) -> None:
        """Run the integration once, and wait as its end demands."""
        began = self._host.clock.mono_ns()
        try:
            self.integration = self._make()
            await self.integration.run()
            error: BaseException = DeviceError("run() returned")
        except Exception as caught:  # noqa: BLE001 - the border to plugins: whatever a
            # driver raises is sorted here, and its process lives on.
            error = gravest(caught)
        self.integration = None
        if isinstance(error, AuthError | ConfigError):
            log.error("%s: stopped: %s", self._host.name, error)
            self._host.link_state("", False, error.code)
            await asyncio.Event().wait()
        now = self._host.clock.mono_ns()
        if now - began > 60 * NS:
            self._pauses.recovered()
        if isinstance(error, DeviceError | OSError | TimeoutError):
            log.warning("%s: %s: %s", self._host.name, type(error).__name__, error)
            self._host.link_state("", False, getattr(error, "code", "device.failed"))
        else:
            log.error("%s: driver error", self._host.name, exc_info=error)
            self._host.link_state("", False, "driver.error")
            self._host.count("driver_error", f"{type(error).__name__}: {error}")
            self._crashes.failed(now)
            if self._crashes.spent(now):
                raise DriverCrashed(f"{CRASHES} driver errors: {error}") from error
        await self._host.timer.sleep(self._pauses.failed(now))

    # --- commands -------------------------------------------------------------

    def _execute(self, command: Command) -> None:
        if command.id in self._commands:
            return  # told again by a core that restarted; it is under way
        known = self._host.finished(command.id)
        if known is not None:
            self._host.result(command.id, CommandState(known.state), known.detail)
            return
        if self._at_once(command):
            return
        task = asyncio.get_running_loop().create_task(self._command(command))
        self._commands[command.id] = task
        task.add_done_callback(lambda _: self._commands.pop(command.id, None))

    def _at_once(self, command: Command) -> bool:
        if self.integration is None:
            return False
        try:
            return self.integration.at_once(command)
        except Exception as error:  # noqa: BLE001 - the border to plugins
            self._failed(command, error)
            return True

    async def _command(self, command: Command) -> None:
        left = command.deadline_ns - self._host.clock.mono_ns()
        pause = left / NS / self._host.timer.clock.speed
        if self.integration is None:
            self._host.result(command.id, CommandState.FAILED, "driver.down")
            return
        try:
            async with asyncio.timeout(max(pause, 0.0)):
                await self.integration.command(command)
        except TimeoutError:
            self._host.result(command.id, CommandState.EXPIRED, "deadline")
        except Exception as error:  # noqa: BLE001 - the border to plugins
            self._failed(command, error)

    def _failed(self, command: Command, error: Exception) -> None:
        log.warning("%s: command failed", self._host.name, exc_info=error)
        detail = f"{type(error).__name__}: {error}"[:200]
        self._host.result(command.id, CommandState.FAILED, detail)


def gravest(error: BaseException) -> BaseException:
    """Return the error of a group that decides: credentials, then configuration."""
    leaves = list(_leaves(error))
    for kind in (AuthError, ConfigError):
        for leaf in leaves:
            if isinstance(leaf, kind):
                return leaf
    unforeseen = [
        leaf
        for leaf in leaves
        if not isinstance(leaf, DeviceError | OSError | TimeoutError)
    ]
    return unforeseen[0] if unforeseen else leaves[0]


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]
