"""The notifier: sends what the journal owes, and reports what became of it.

It keeps nothing of its own: a notice whose channel still says ``queued`` is owed,
whoever restarted meanwhile (R13, R30). Addresses are secrets of the 0600 store.
Each address has a lane of its own; children hold what may hang.
"""

import asyncio
import contextlib

from core.processes import lean  # noqa: F401  (before msgspec)

import msgspec  # isort: skip

from core import config
from core import state as states
from core.channels.lanes import Key, Outcome, Packet, Rank
from core.channels.letters import Letter, Sms, Told
from core.channels.outbox import Outbox, Target
from core.channels.services import (
    RELAY,
    VAPID,
    by_relay,
    group_secret,
    is_mail,
    secret_name,
)
from core.channels.words import Writer, reply_code
from core.journal import envelope as envelopes
from core.journal import fold
from core.link import messages as m
from core.link.client import Client
from core.processes.child import Control, rename
from core.processes.notifier_lines import ModemLine, Senders, Slots
from core.registry.secrets import Secrets
from core.response.notices_config import REPLY, REPORTS

#: Letters on their way at once, and to one host.
IN_HAND, PER_HOST = 48, 8
#: So often what waits for quiet hours or for rates is looked at again.
LOOK_S = 30.0
#: And what waits in a lane: core must hear in time of what is held up.
LATE_S = 5.0
#: SMS that are remembered for their reports and replies; the oldest is forgotten.
SAID = 500
_ORDER = ("queued", "sent", "delivered", "seen", "acknowledged")


class Notifier:
    """Follow the journal and send what is owed."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self.state = states.SiteState()
        self.bundle = config.EMPTY
        self._secrets = Secrets(control.data)
        self._outbox = Outbox(control.clock, self._address)
        self._slots = Slots(IN_HAND, PER_HOST)
        self._wake = asyncio.Event()
        self._told: dict[Key, m.NoticeResult] = {}
        """What core was told and has not written down yet."""
        self._said: dict[str, list[Key]] = {}
        """SMS → the notices that it carried."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup
        self._senders: Senders
        self._modem: ModemLine
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
        self._group = group
        self._senders = Senders(group)
        self._modem = ModemLine(group, self._modem_told)
        self._control.listen(
            lambda _name, lanes, socks: self.client.attach(lanes, socks)
        )
        self._spawn(self._serve())
        await self._control.stopping.wait()
        for task in self._tasks:
            task.cancel()
        self._modem.close()
        await self._senders.close()
        self.client.detach("stop")
        self._control.close()

    # --- what core tells ------------------------------------------------------

    def _receive(self, message: m.Message) -> None:
        match message:
            case m.Snapshot():
                self.state = states.load(message.state)
                self._arm(message.bundle)
                # What core never wrote down is told again, and not sent again.
                for result in self._told.values():
                    self.client.send(result)
            case m.Events():
                for data in message.envelopes:
                    envelope = envelopes.decode(data)
                    if (envelope.epoch, envelope.seq) > (
                        self.state.epoch,
                        self.state.seq,
                    ):
                        fold.replay(self.state, envelope)
            case m.Armed():
                self._arm(message.bundle)
            case _:
                return
        self._wake.set()

    def _arm(self, data: bytes) -> None:
        self.bundle = config.load(data)
        self._outbox.arm(self.bundle)
        self._modem.arm(self.bundle)

    # --- sending --------------------------------------------------------------

    async def _serve(self) -> None:
        while True:
            self._wake.clear()
            self._confirm()
            if self.client.safety is not None:
                for bad in self._outbox.look(self.state, self._told):
                    self._report(bad)
                self._launch()
            most = LATE_S if self._outbox.waiting else LOOK_S
            pause = min(self._outbox.wait_s(), most)
            with contextlib.suppress(TimeoutError):
                # At least a moment: a slot may be what is waited for.
                async with asyncio.timeout(self._real_s(max(pause, 0.05))):
                    await self._wake.wait()

    def _real_s(self, seconds: float) -> float:
        return seconds / self._control.clock.speed

    def _confirm(self) -> None:
        """Forget what core has written down, or what has ended."""
        notices = self.state.response.notices
        for key, result in list(self._told.items()):
            record = notices.get(key[0])
            if record is None or _written(record.channels.get(key[1]), result.state):
                del self._told[key]

    def _launch(self) -> None:
        for late in self._outbox.held():
            self._report(late)
        for target, packet in self._outbox.due(lambda to: self._slots.free(to.host)):
            self._slots.take(target.host)
            self._spawn(self._fly(target, packet))

    async def _fly(self, target: Target, packet: Packet) -> None:
        try:
            detail = await self._send(target, packet)
        except (OSError, ValueError, LookupError) as bad:
            # A letter that cannot be written is a failed one; the others go on.
            detail = f"letter.{type(bad).__name__}"
        finally:
            self._slots.give(target.host)
        for outcome in self._outbox.done(target, detail):
            self._report(outcome)
        self._wake.set()

    async def _send(self, target: Target, packet: Packet) -> str:
        notices = self.state.response.notices
        names = {person.id: person.name for person in self.bundle.people}
        writer = Writer(self.bundle, notices, names)
        number = packet.items[0].notice_id
        if packet.items[0].alone:
            return await self._whole(target, packet, writer)
        if target.scheme == "sms":
            text = writer.short(packet, target.service.bytes)
            self._remember(number, packet)
            sms = Sms(id=number, number=target.address.strip(), text=text)
            return await self._modem.send(sms, packet.rank)
        said = writer.message(packet, target.service.bytes, group=target.group)
        letter = Letter(
            id=number,
            address=target.address.strip(),
            title=said.title,
            body=said.body,
            urgent=packet.rank is not Rank.MAY_WAIT,
        )
        if target.scheme == "push":
            letter = self._push(letter, packet)
        return await self._senders.send(letter)

    async def _whole(self, target: Target, packet: Packet, writer: Writer) -> str:
        """Send a text as a person wrote it: whole, or not at all."""
        number = packet.items[0].notice_id
        notice = self.state.response.notices.get(number)
        name = str(notice.params.get("text", "")) if notice is not None else ""
        file = self._control.data / REPORTS / f"{name}.txt"
        try:
            text = await asyncio.to_thread(file.read_text, "utf-8")
        except (OSError, UnicodeDecodeError):
            return "no_text"
        if target.scheme == "sms" and len(text) * 2 <= target.service.bytes:
            self._remember(number, packet)
            sms = Sms(id=number, number=target.address.strip(), text=text)
            return await self._modem.send(sms, packet.rank)
        title = writer.title(packet)
        if target.scheme == "sms" or len(f"{title}\n{text}".encode()) > (
            target.service.bytes
        ):
            return "too_large"
        address = target.address.strip()
        letter = Letter(id=number, address=address, title=title, body=text, urgent=True)
        return await self._senders.send(letter)

    def _push(self, letter: Letter, packet: Packet) -> Letter:
        """Put a letter into the few fields that a phone's worker reads."""
        first = packet.items[0]
        body = {
            "id": first.notice_id,
            "channel": first.channel,
            "title": letter.title,
            "body": letter.body,
            "urgent": letter.urgent,
        }
        link = self.bundle.notices.link
        secret = self._secrets.get_or_create(VAPID)
        letter = msgspec.structs.replace(
            letter, body=msgspec.json.encode(body).decode(), vapid=secret
        )
        if link.startswith("https://"):
            letter = msgspec.structs.replace(letter, contact=link)
        return letter

    def _address(self, person_id: str, channel: str) -> str:
        name = secret_name(person_id, channel) if person_id else group_secret(channel)
        try:
            address = self._secrets.get(name) or ""
            if is_mail(address):
                return by_relay(address, self._secrets.get(RELAY) or "")
            return address
        except OSError:
            return ""

    def _spawn(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- what became of it ----------------------------------------------------

    def _report(self, outcome: Outcome) -> None:
        item = outcome.item
        self._result(item.key, outcome.state, outcome.detail)

    def _result(self, key: Key, state: str, detail: str = "") -> None:
        result = m.NoticeResult(key[0], key[1], state, detail)
        self._told[key] = result
        self.client.send(result)

    def _remember(self, number: str, packet: Packet) -> None:
        self._said[number] = [item.key for item in packet.items]
        while len(self._said) > SAID:
            del self._said[next(iter(self._said))]

    def _modem_told(self, told: Told) -> None:
        """Take a delivery report, or a person's reply."""
        if told.kind == "reply":
            self._replied(told.number, told.text)
            return
        state = "delivered" if told.kind == "delivered" else "failed"
        detail = "" if state == "delivered" else "sms.lost"
        for key in self._said.get(told.id, ()):
            self._result(key, state, detail)

    def _replied(self, number: str, text: str) -> None:
        """Take a reply: its code and its sender's number tell what is answered."""
        for notice in list(self.state.response.notices.values()):
            if notice.acknowledged or reply_code(notice.id) not in text:
                continue
            for channel in notice.channels:
                if _same(self._address(notice.person_id, channel), number):
                    carried = self._said.get(notice.id, [(notice.id, channel)])
                    for key in carried:
                        self._result(key, "acknowledged", REPLY)


def _written(now: str | None, told: str) -> bool:
    """Say whether core has written down what it was told, or more."""
    if told == "failed" or now is None:
        return now != "queued"
    return now in _ORDER and _ORDER.index(now) >= _ORDER.index(told)


def _same(address: str, number: str) -> bool:
    """Say whether an SMS came from an address: its last eight digits tell."""
    mine = "".join(c for c in address if c.isdigit())
    return len(mine) >= 8 and "://" not in address and number.endswith(mine[-8:])


async def _main() -> None:
    control = Control.greet()
    rename("notifier")
    async with asyncio.TaskGroup() as group:
        await Notifier(control).run(group)


if __name__ == "__main__":
    asyncio.run(_main())
