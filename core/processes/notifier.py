"""The notifier: sends what the journal owes, and reports what became of it.

It keeps no state of its own: a notice whose channel still says ``queued`` is
owed, whoever restarted meanwhile (R13, R30). Channels are apprise addresses of
the person; a child process that imports apprise is started on demand and ends
when it has been idle, so that a quiet site does not pay for it.
"""

import asyncio
import contextlib
import sys

from core.processes import lean  # noqa: F401  (before msgspec)

import msgspec  # isort: skip

from core import config, texts
from core import state as states
from core.journal import envelope as envelopes
from core.journal import fold
from core.link import messages as m
from core.link.client import Client
from core.processes.child import Control, rename
from core.processes.sender import Letter, Reply
from core.response.state import NoticeRecord

#: Channels that other parts of the hub serve: the web page and local outputs.
LOCAL = frozenset({"screen", "siren", "voice"})
SEND_S = 20.0
RETRY_S = (2.0, 8.0)
IDLE_S = 60.0
#: Letters in hand at once; more wait in the journal, which is the queue.
IN_HAND = 64


class Sender:
    """Own the child that imports apprise; start it when a letter comes."""

    def __init__(self) -> None:
        self._child: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None

    async def send(self, letter: Letter) -> Reply:
        """Hand one letter over and wait for its reply; never raises."""
        async with self._lock:
            try:
                async with asyncio.timeout(SEND_S):
                    return await self._exchange(letter)
            except TimeoutError:
                await self.close()
                return Reply(id=letter.id, ok=False, detail="timeout")
            except (OSError, EOFError, msgspec.MsgspecError) as bad:
                await self.close()
                return Reply(id=letter.id, ok=False, detail=type(bad).__name__)

    async def _exchange(self, letter: Letter) -> Reply:
        if self._child is None or self._child.returncode is not None:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "core.processes.sender",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
        child = self._child
        if child.stdin is None or child.stdout is None:
            raise EOFError
        child.stdin.write(msgspec.json.encode(letter) + b"\n")
        await child.stdin.drain()
        line = await child.stdout.readline()
        if not line:
            raise EOFError
        self._rest()
        return msgspec.json.decode(line, type=Reply)

    def _rest(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(IDLE_S, self._dismiss)

    def _dismiss(self) -> None:
        # Closing its input ends the child in order.
        if self._child is not None and self._child.stdin is not None:
            self._child.stdin.close()
        self._child = None

    async def close(self) -> None:
        """End the child; idempotent."""
        child, self._child = self._child, None
        if self._idle is not None:
            self._idle.cancel()
        if child is not None and child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()


class Notifier:
    """Follow the journal and send what is owed."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self.state = states.SiteState()
        self.bundle = config.EMPTY
        self._sender = Sender()
        self._taken: set[tuple[str, str]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.client = Client(self._hello, self._receive)

    def _hello(self) -> m.Hello:
        return m.Hello(
            name=self._control.name,
            role="notifier",
            version="1",
            epoch=self.state.epoch,
            seq=self.state.seq,
        )

    async def run(self, group: asyncio.TaskGroup) -> None:
        """Serve until the keeper says stop."""
        self._control.listen(
            lambda _name, lanes, socks: self.client.attach(lanes, socks)
        )
        self._group = group
        await self._control.stopping.wait()
        for task in self._tasks:
            task.cancel()
        await self._sender.close()
        self.client.detach("stop")
        self._control.close()

    def _receive(self, message: m.Message) -> None:
        match message:
            case m.Snapshot():
                self.state = states.load(message.state)
                self.bundle = config.load(message.bundle)
            case m.Events():
                for data in message.envelopes:
                    envelope = envelopes.decode(data)
                    if (envelope.epoch, envelope.seq) > (
                        self.state.epoch,
                        self.state.seq,
                    ):
                        fold.replay(self.state, envelope)
            case m.Armed():
                self.bundle = config.load(message.bundle)
            case _:
                return
        self._look()

    def _look(self) -> None:
        """Take up every channel that is owed and not in hand."""
        for notice in self.state.response.notices.values():
            for channel, state in notice.channels.items():
                key = (notice.id, channel)
                if state != "queued" or channel in LOCAL or key in self._taken:
                    continue
                if len(self._tasks) >= IN_HAND:
                    return
                self._taken.add(key)
                task = self._group.create_task(self._deliver(notice, channel))
                self._tasks.add(task)
                task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self._look()

    async def _deliver(self, notice: NoticeRecord, channel: str) -> None:
        address = self._address(notice.person_id, channel)
        if not address:
            self._report(notice, channel, "failed", "no_address")
            return
        letter = self.letter(notice, address)
        detail = ""
        for pause in (*RETRY_S, None):
            reply = await self._sender.send(letter)
            if reply.ok:
                self._report(notice, channel, "sent", "")
                return
            detail = reply.detail
            if pause is not None:
                await self._control.timer.sleep(pause)
        self._report(notice, channel, "failed", detail)

    def _address(self, person_id: str, channel: str) -> str:
        for person in self.bundle.people:
            if person.id == person_id:
                return person.contacts.get(channel, "")
        return ""

    def letter(self, notice: NoticeRecord, address: str) -> Letter:
        """Write a notice out in the site's language first, then the other."""
        first = self.bundle.site.language
        order = (first, "en" if first == "zh" else "zh")
        lines = [
            texts.render(notice.code, self._named(notice, lang), lang) for lang in order
        ]
        title = f"[{notice.mark}] " if notice.mark else ""
        site = self.bundle.site.names
        title += site.zh if first == "zh" else site.en
        return Letter(id=notice.id, address=address, title=title, body="\n".join(lines))

    def _named(self, notice: NoticeRecord, language: str) -> dict[str, object]:
        named: dict[str, object] = dict(notice.params)
        for zone in self.bundle.site.zones:
            if zone.id == notice.params.get("zone_id"):
                named["zone"] = zone.names.zh if language == "zh" else zone.names.en
        for person in self.bundle.people:
            if person.id == notice.params.get("person_id"):
                named["person"] = person.name
        return named

    def _report(
        self, notice: NoticeRecord, channel: str, state: str, detail: str
    ) -> None:
        self.client.send(m.NoticeResult(notice.id, channel, state, detail))
        # Told again from the journal when core was away and did not hear it.
        if self.client.safety is None:
            self._taken.discard((notice.id, channel))


async def _main() -> None:
    control = Control.greet()
    rename("notifier")
    async with asyncio.TaskGroup() as group:
        await Notifier(control).run(group)


if __name__ == "__main__":
    asyncio.run(_main())
