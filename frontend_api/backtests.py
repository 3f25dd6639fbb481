"""Back-tests for the page: each in a process of its own, one at a time."""

import asyncio
import contextlib
import datetime as dt
import re
import sys
from collections import deque
from pathlib import Path
from typing import Any

import msgspec

from core.processes.trials import Report
from core.registry.ids import Ids
from frontend_api.guard import Call, Route, body
from frontend_api.problems import Problem
from frontend_api.replica import Replica
from frontend_api.views import Text, View

#: Finished trials that are kept, and how long one may take.
KEPT, LIMIT_S = 20, 900.0
#: Longest line that the trial's process may write: a whole report.
_LINE_BYTES = 16 << 20
#: Who may try a rule: it costs the hub a processor for a while.
MAY_TRY = frozenset({"owner", "safety_officer", "maintainer"})
_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}$")
_INPUT = re.compile(r"^[a-z][a-z0-9_]{0,63}$")
_MODULE = "automations.backtest_command"
_DAY_MS = 86_400_000


class TrialBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Ask for a back-test of an armed rule, or of a blueprint with its inputs."""

    rule: str
    from_ms: int
    to_ms: int
    inputs: dict[str, Any] = {}


class TrialView(View):
    """Show a back-test: how far it is, and its report in the end."""

    id: str
    rule: str
    from_ms: int
    to_ms: int
    by: str
    state: str
    """running, done or failed."""
    done: float
    error: str = ""
    text: Text | None = None
    """The report as it is read, in both languages."""
    report: Report | None = None


class TrialList(msgspec.Struct, kw_only=True):
    """Hold the last back-tests, newest first, without their reports."""

    items: list[TrialView]


class Trials:
    """Start back-tests, follow them and keep the last reports."""

    def __init__(self, replica: Replica, data: Path) -> None:
        self._replica, self._data = replica, data
        self._ids = Ids(replica.clock)
        self._trials: deque[TrialView] = deque(maxlen=KEPT)
        self._task: asyncio.Task[None] | None = None

    def routes(self) -> list[Route]:
        """Return the routes of this module."""
        base = "/api/v1/backtests"
        return [
            Route("GET", base, self.many, "The last back-tests", reply=TrialList),
            Route("POST", base, self.start, "Try a rule on the site's own past",
                  reply=TrialView, body=TrialBody, status=202),
            Route("GET", f"{base}/{{id}}", self.one, "One back-test",
                  reply=TrialView),
            Route("DELETE", f"{base}/{{id}}", self.end, "End and forget it"),
        ]  # fmt: skip

    async def many(self, _: Call) -> TrialList:
        """List the last back-tests."""
        bare = [
            msgspec.structs.replace(each, report=None, text=None)
            for each in self._trials
        ]
        return TrialList(items=bare)

    async def one(self, call: Call) -> TrialView:
        """Show one back-test."""
        return self._find(call)

    async def start(self, call: Call) -> TrialView:
        """Begin a back-test; a second one is refused while one runs."""
        asked: TrialBody = await body(call.request, TrialBody)
        if not MAY_TRY & self._replica.roles(call.session.person_id):
            raise Problem("gateway.not_allowed")
        _check(asked)
        if not self.idle():
            raise Problem("gateway.busy")
        made = TrialView(
            id=self._ids.new(),
            rule=asked.rule,
            from_ms=asked.from_ms,
            to_ms=asked.to_ms,
            by=call.session.person_id,
            state="running",
            done=0.0,
        )
        self._trials.appendleft(made)
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._run(made, asked))
        return made

    async def end(self, call: Call) -> None:
        """End a back-test that runs, and forget it."""
        found = self._find(call)
        if not MAY_TRY & self._replica.roles(call.session.person_id):
            raise Problem("gateway.not_allowed")
        if found.state == "running":
            await self.stop()
        with contextlib.suppress(ValueError):
            self._trials.remove(found)

    def idle(self) -> bool:
        """Say whether no trial runs."""
        return self._task is None or self._task.done()

    async def stop(self) -> None:
        """End the trial that runs, with its process."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _find(self, call: Call) -> TrialView:
        wanted = call.request.match_info["id"]
        found = next((each for each in self._trials if each.id == wanted), None)
        if found is None:
            raise Problem("gateway.not_found")
        return found

    # --- the process --------------------------------------------------------------

    async def _run(self, trial: TrialView, asked: TrialBody) -> None:
        try:
            async with asyncio.timeout(LIMIT_S):
                await self._follow(trial, asked)
        except TimeoutError:
            trial.error = f"not done after {LIMIT_S:.0f} s; try a shorter span"
        except (OSError, ValueError, msgspec.MsgspecError) as bad:
            trial.error = str(bad)
        finally:
            trial.state = "done" if trial.report is not None else "failed"

    async def _follow(self, trial: TrialView, asked: TrialBody) -> None:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *("nice", "-n", "10", sys.executable, "-m", _MODULE),
            *self._words(asked),
            stdout=pipe,
            stderr=pipe,
            limit=_LINE_BYTES,
        )
        assert process.stdout is not None and process.stderr is not None  # noqa: S101
        try:
            async for line in process.stdout:
                said = msgspec.json.decode(line, type=_Said)
                trial.done = said.done
                trial.report, trial.text = said.report, said.text
            if trial.report is None:
                wrong = await process.stderr.read(4096)
                text = wrong.decode(errors="replace").strip()
                trial.error = text.rpartition("\n")[2].partition(": ")[2] or text
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _words(self, asked: TrialBody) -> list[str]:
        words = [asked.rule, "--data", str(self._data), "--json", "--progress"]
        words += ["--from", _iso(asked.from_ms), "--to", _iso(asked.to_ms)]
        for name, value in asked.inputs.items():
            # JSON is YAML: the worker reads it as the language does.
            words += ["--input", f"{name}={msgspec.json.encode(value).decode()}"]
        return words


class _Said(msgspec.Struct):
    """Read one line of the trial's process."""

    done: float = 1.0
    report: Report | None = None
    text: Text | None = None


def _check(asked: TrialBody) -> None:
    if not _NAME.match(asked.rule):
        raise Problem("gateway.bad_request", reason="rule: the id of a rule")
    for name in asked.inputs:
        if not _INPUT.match(name):
            raise Problem("gateway.bad_request", reason="inputs: names of inputs")
    if not 0 < asked.to_ms - asked.from_ms <= 90 * _DAY_MS:
        raise Problem("gateway.bad_request", reason="from_ms, to_ms: at most 90 days")


def _iso(ms: int) -> str:
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC).isoformat()
