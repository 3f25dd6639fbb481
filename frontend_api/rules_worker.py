"""The drafting worker: a process for each question, with bounds of its own.

The gateway reads no YAML: a file that is a bomb ends that process and nothing else.
"""

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import TypeVar

import msgspec

from core import config
from core import state as states
from core.processes.drafts import Answer, Ask, Wish
from frontend_api.problems import Problem
from frontend_api.replica import Replica

#: One question at a time, for so long at most; and so many may wait for their turn.
LIMIT_S, WAITING = 60.0, 8
_MODULE = "automations.drafter"
AnswerT = TypeVar("AnswerT")


class Worker:
    """Ask the drafting worker."""

    def __init__(self, replica: Replica, data: Path) -> None:
        self._replica, self._data = replica, data
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def ask(
        self,
        op: str,
        *,
        by: str = "",
        wish: Wish | None = None,
        text: str = "",
        signature: str = "",
    ) -> Answer:
        """Return the worker's answer; raises Problem when it cannot be had."""
        if self._waiting >= WAITING:
            raise Problem("gateway.busy")
        self._waiting += 1
        try:
            async with asyncio.timeout(LIMIT_S), self._turn:
                question = self._question(op, by, wish, text, signature)
                return await answered(_MODULE, question, Answer)
        except TimeoutError:
            raise Problem("gateway.draft_late") from None
        finally:
            self._waiting -= 1

    def _question(
        self, op: str, by: str, wish: Wish | None, text: str, signature: str
    ) -> bytes:
        replica = self._replica
        ask = Ask(
            op=op,
            data=str(self._data),
            base=replica.state.hub.config_hash,
            bundle=config.dump(replica.bundle),
            state=states.dump(replica.state) if wish is not None else b"",
            by=by,
            wish=wish,
            text=text,
            signature=signature,
        )
        return msgspec.msgpack.encode(ask)


async def answered(module: str, question: bytes, kind: type[AnswerT]) -> AnswerT:
    """Return what a worker's process answers to one question; raises Problem."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=pipe, stdout=pipe, stderr=pipe
    )
    try:
        answer, wrong = await process.communicate(question)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    try:
        return msgspec.msgpack.decode(answer, type=kind)
    except msgspec.MsgspecError:
        last = wrong.decode(errors="replace").strip().rpartition("\n")[2]
        detail = last or "it needs more memory or time than a file may"
        raise Problem("gateway.draft_failed", detail=detail[:300]) from None
