"""``safehold demo``: the demonstration site, for a person or for a check."""

import argparse
import asyncio
import contextlib
import itertools
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from core.journal.verify import render, verify
from demo import scenario as scenarios
from demo.crew import Crew
from demo.play import NotMetError, Player
from demo.scenario import Scenario, ScenarioError
from demo.stage import HERE, Stage, StageError
from demo.technician import NotEnrolledError, Technician
from demo.tidy import tidy
from demo.watch import Watch

#: The demonstration's clock: fast enough to watch, slow enough to follow.
_SPEED, _ONCE_SPEED = 1.0, 4.0
_PAUSE_S = 60.0
#: How long a person may look at each step of an empty site's enrolment.
_STEP_S = 1.5


def main(argv: list[str]) -> int:
    """Run the demonstration; exit status 0, 1 when the day went otherwise, 2 bad."""
    options = _options(argv)
    try:
        days = [scenarios.read(Path(each)) for each in _days(options)]
    except ScenarioError as bad:
        sys.stderr.write(f"safehold demo: {bad}\n")
        return 2
    data = Path(options.data or tempfile.mkdtemp(prefix="safehold-demo-")).resolve()
    if (data / "journal").exists():
        sys.stderr.write(
            f"safehold demo: {data} holds a journal already; name a new folder\n"
        )
        return 2
    try:
        return asyncio.run(_Demo(options, data, days).run())
    except (StageError, TimeoutError, OSError) as bad:
        sys.stderr.write(f"safehold demo: {bad}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="safehold demo", description="Run the demonstration site."
    )
    parser.add_argument("--data", default="", help="folder for its data (a new one)")
    parser.add_argument("--port", type=int, default=0, help="port of the web page")
    parser.add_argument(
        "--once", action="store_true", help="play the day once, headless, and check it"
    )
    parser.add_argument("--speed", type=float, default=0.0, help="1 to 20")
    parser.add_argument(
        "--seed", type=int, default=0, help="another day: values and paces differ (0)"
    )
    parser.add_argument("--scenario", default="", help="file with another scripted day")
    parser.add_argument(
        "--drill", action="store_true", help="hold a drill instead of the incident"
    )
    parser.add_argument(
        "--empty",
        action="store_true",
        help="begin without integrations and devices: a technician sets them up",
    )
    options = parser.parse_args(argv)
    options.speed = options.speed or (_ONCE_SPEED if options.once else _SPEED)
    if not 1.0 <= options.speed <= 20.0:
        parser.error(f"--speed {options.speed:g} is outside 1 to 20")
    return options


def _days(options: argparse.Namespace) -> list[Path]:
    """Return what is played: the incident, and for who watches a drill after it."""
    if options.scenario:
        return [Path(options.scenario)]
    incident, drill = (HERE / "scenarios" / f"{n}.yaml" for n in ("h2s", "drill"))
    if options.drill:
        return [drill]
    return [incident] if options.once else [incident, drill]


class _Demo:
    """Hold one run of the demonstration."""

    def __init__(
        self, options: argparse.Namespace, data: Path, days: list[Scenario]
    ) -> None:
        self._options, self._data, self._days = options, data, days
        self._stage = Stage(
            data, options.speed, options.port, options.seed, empty=options.empty
        )

    async def run(self) -> int:
        """Bring the stage up, play, and bring it down whatever happens."""
        self._end_by_signal()
        _tell("启动示范工地… Starting the demonstration site…")
        status = 1
        try:
            await self._stage.start()
            self._greet()
            status = await self._once() if self._options.once else await self._show()
        except asyncio.CancelledError:
            status = 130 if self._options.once else 0
        finally:
            await self._stage.stop()
        if self._options.once:
            report = verify(self._data / "journal")
            _tell(render(report))
            status = status or (0 if report.ok else 1)
        return status

    def _end_by_signal(self) -> None:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            if task is not None:
                loop.add_signal_handler(number, task.cancel)

    def _greet(self) -> None:
        _tell(f"网页 Web page:      {self._stage.address}")
        _tell(f"认领码 Claim code:  {self._stage.claim_code()}")
        _tell(f"数据 Data:          {self._data}")

    async def _once(self) -> int:
        """Play the day once; the hub is claimed first, as on any new site."""
        async with self._people() as (watch, crew):
            await crew.claim("zhao", self._stage.claim_code())
            try:
                await self._enrol(crew, 0.0)
            except NotEnrolledError as bad:
                _tell(f"✗ {bad}")
                return 1
            player = Player(self._stage, watch, crew, _tell)
            try:
                await player.play(self._days[0])
            except NotMetError as bad:
                _tell(f"✗ {bad}")
                return 1
        for met in player.met:
            _tell(f"  {met.at_s:8.1f} s  #{met.seq:<6} {met.text}")
        _tell(f"{len(player.met)} expected events, all in order")
        return 0

    async def _show(self) -> int:
        """Play the day again and again until the person ends it."""
        _tell("Ctrl-C 结束 ends it.")
        async with self._people() as (watch, crew):
            await crew.arrive()
            await self._enrol(crew, _STEP_S)
            days = itertools.cycle(self._days)
            while True:
                player = Player(self._stage, watch, crew, _tell, lenient=True)
                await player.play(next(days))
                await tidy(watch, crew)
                await asyncio.sleep(_PAUSE_S / self._options.speed)

    async def _enrol(self, crew: Crew, pause_s: float) -> None:
        """Let the technician set an empty site up, for a person to watch."""
        if not self._options.empty:
            return
        _tell("空白工地：通过接口设置集成、登记设备。 An empty site is set up.")
        technician = Technician(crew, "zhao", _tell)
        for note in self._stage.notes("integrations"):
            await technician.set_up(note, pause_s)
        await self._stage.join_broker()
        await technician.enrol(self._stage.notes("devices"), pause_s)

    @contextlib.asynccontextmanager
    async def _people(self) -> AsyncIterator[tuple[Watch, Crew]]:
        crew = Crew(self._stage.address, self._stage.codes)
        watch = Watch(self._data)
        await watch.start()
        try:
            yield watch, crew
        finally:
            watch.stop()
            await crew.close()


def _tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
