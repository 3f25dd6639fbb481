"""The exchange as the uplink runs it: events in, tickets, alarms and heads out."""

import asyncio
import sys
from pathlib import Path

import msgspec

from core import state as states
from core.api.errors import ConfigError
from core.clock import NS, AsyncClock
from core.config import Bundle
from core.journal import fold
from core.journal.envelope import Envelope
from core.people.vault import Vault
from core.registry.secrets import Secrets
from frontend_api.exchange import cards, rules, settings, witness
from frontend_api.exchange.emitter import Emitter
from frontend_api.exchange.mapping import Book, Mapper, Owed
from frontend_api.exchange.outbox import DEAD, Outbox

#: Events between two keepings of the mapper's state, and of the bare cursor.
_KEEP, _STEP = 5_000, 500
_MEND_S = 1.0


class Exchange:
    """Derive what is owed from durable events, and deliver it.

    ``data`` is the hub's folder. Raises ValueError or OSError when the settings
    cannot be used.
    """

    def __init__(self, data: Path, timer: AsyncClock) -> None:
        folder = data / settings.FOLDER
        try:
            self.settings = settings.load(folder / settings.NAME)
        except ConfigError as bad:
            raise ValueError(str(bad)) from bad
        self._timer = timer
        self._secrets = Secrets(data)
        self.outbox = Outbox(folder, self._secrets)
        self._number = cards.from_vault(Vault(data, self._secrets))
        self._heads = witness.Heads(data, self.settings.witnesses, timer)
        self._emitter: Emitter | None = None
        if self.settings.platform is not None:
            token = self._secrets.get(self.settings.platform.token) or ""
            self._emitter = Emitter(self.outbox, self.settings.platform, timer, token)
        self._armed = False
        self._set_back = ""
        self._open()

    def _open(self) -> None:
        self._state, book = states.SiteState(), Book()
        self._cursor = self.outbox.cursor()
        self._kept, data = self.outbox.kept()
        if data:
            try:
                whole, memos = msgspec.msgpack.decode(data, type=tuple[bytes, bytes])
                self._state = states.load(whole)
                book = msgspec.msgpack.decode(memos, type=Book)
            except msgspec.MsgspecError:
                # Another release kept it: the journal tells it all again.
                self._state, book, self._kept = states.SiteState(), Book(), 0
        self._mapper = Mapper(self.settings, book, self._number)

    # --- the journal ----------------------------------------------------------

    def folded(self) -> int:
        """Return the seq of the last event taken."""
        return self._state.seq

    def behind(self, epoch: int, seq: int) -> None:
        """Hear where the journal ends; one that was set back begins anew."""
        if seq >= self._cursor[1] and seq >= self._state.seq:
            return
        self._set_back = f"{self._cursor[1]} > {seq}"
        sys.stderr.write(f"uplink: the journal was set back: {self._set_back}\n")
        self.outbox.keep(0, b"")
        self.outbox.owe((), (epoch, seq), self._now())
        self._open()

    def arm(self, bundle: Bundle) -> None:
        """Take the names of the bundle in force."""
        self._mapper.bundle, self._armed = bundle, True

    def take(self, envelope: Envelope) -> None:
        """Take one durable event; what the cursor has passed is only folded."""
        body = fold.replay(self._state, envelope)
        if self._emitter is None:
            return
        found = list(self._mapper.take(body, envelope, self._state))
        if envelope.seq <= self._cursor[1]:
            return
        owed = [_checked(each) for each in found]
        place = envelope.epoch, envelope.seq
        if owed or envelope.seq - self._cursor[1] >= _STEP:
            self.outbox.owe(owed, place, self._now())
            self._cursor = place
        if owed:
            self._emitter.poke()
        if envelope.seq - self._kept >= _KEEP:
            self._keep()

    def _keep(self) -> None:
        """Keep the mapper's state behind the cursor, never ahead of it."""
        place = self._state.epoch, self._state.seq
        if place[1] >= self._cursor[1] and place[1] > self._kept:
            self.outbox.owe((), place, self._now())
            book = msgspec.msgpack.encode(self._mapper.book)
            data = msgspec.msgpack.encode((states.dump(self._state), book))
            self.outbox.keep(place[1], data)
            self._cursor, self._kept = place, place[1]

    def _now(self) -> int:
        return self._timer.clock.wall_ns()

    # --- the outside ----------------------------------------------------------

    def faults(self) -> dict[str, str]:
        """Return condition → detail; an empty detail is well again."""
        dead = self.outbox.counts().get(DEAD, 0)
        late, oldest = "", self.outbox.oldest_ns()
        if self.settings.platform is not None and oldest is not None:
            waited = (self._now() - oldest) / NS
            late = (
                f"{waited / 60:.0f} min"
                if waited > self.settings.platform.late_s
                else ""
            )
        return {
            "dead": str(dead) if dead else "",
            "late": late,
            "journal": self._set_back,
            "witness": self._heads.fault(),
        }

    def mend(self) -> bool:
        """Tell anew what the settings had kept back; False: too early to know."""
        if not self._armed or self.folded() < self._cursor[1]:
            return False
        mended: set[str] = set()
        for letter in reversed(self.outbox.listed(DEAD)):
            if letter.tries or letter.kind != "ticket" or letter.id in mended:
                continue
            owed = self._mapper.anew(letter.id, self._state, self._now())
            if owed is not None and not _checked(owed).problem:
                self.outbox.mend(letter.n, owed)
                mended.add(letter.id)
        return True

    async def _mend(self) -> None:
        while not self.mend():
            await self._timer.sleep(_MEND_S)
        if self._emitter is not None:
            self._emitter.poke()

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with asyncio.TaskGroup() as group:
            if self._emitter is not None:
                group.create_task(self._emitter.run())
                group.create_task(self._mend())
            for each in self.settings.witnesses:
                group.create_task(self._heads.run(each))

    def close(self) -> None:
        """Keep the place in the journal, and close."""
        if self._emitter is not None:
            self._keep()
        self.outbox.close()


def _checked(owed: Owed) -> Owed:
    """Mark a record that breaks a rule: it is kept and raised, not sent."""
    if owed.problem:
        facts = " ".join(owed.params.values())
        return owed._replace(problem=f"{owed.problem} {facts}".strip())
    bad = next(rules.check(msgspec.json.decode(owed.body)), None)
    if bad is None:
        return owed
    return owed._replace(problem=f"{bad.code} {bad.field}")
