"""One terminal of JT/T 808: its codes, its reports, and what it is told to say."""

import asyncio
import hashlib
import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core.api import Command, CommandState, Host, Quality, Value
from core.api.clock import NS
from integrations.helmet import body, profile, words
from integrations.helmet.worn import Stamp, Worn, device

if TYPE_CHECKING:
    from integrations.helmet.session import Session

#: A phrase is said again so often while it stands.
AGAIN_S: Final = 20.0
#: What a voice says when it is told no phrase.
_WORDS: Final = {
    "leave": "请立即撤离！请立即撤离！ Leave now!",
    "no_rescue": "禁止盲目施救！等待救援队！ Do not enter to rescue!",
    "drill": "这是演练。 This is a drill.",
}


def plain(phone: str) -> str:
    """Return a phone number as it is written, without the zeros of its field."""
    return phone.lstrip("0") or "0"


def code_of(secret: str, phone: str) -> str:
    """Return the code that a terminal is given when it registers by its label."""
    said = f"safehold jt808 1\0{plain(phone)}".encode()
    return hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()[:16]


class Call(NamedTuple):
    """Hold a call that must be durable before the terminal is answered."""

    kind: str
    ident: str
    params: dict[str, Value]


class Terminal:
    """Hold one terminal, connected or not."""

    def __init__(
        self,
        host: Host,
        phone: str,
        options: Mapping[str, Any],
        secrets: Mapping[str, str],
    ) -> None:
        self.phone = plain(phone)
        mine: Mapping[str, Any] = next(
            (t for t in options["terminals"] if plain(t["phone"]) == self.phone), {}
        )
        self.listed = bool(mine)
        self.label: str = mine.get("serial", "")
        own = mine.get("secret", "")
        self.own_secret = secrets.get(own, "") if own else ""
        self._site_secret = secrets.get(options["secret"], "")
        self._said: Mapping[str, str] = {**_WORDS, **options["phrases"]}
        self._profile = profile.load(mine.get("profile") or options["profile"])
        self.interval_s: float = options["heartbeat_s"]
        self.worn = self._worn(host, mine, options)
        self._host = host
        self.session: Session | None = None
        self.saying: str = ""
        self._voice: Value = False
        self._again: asyncio.TimerHandle | None = None

    def _worn(
        self, host: Host, mine: Mapping[str, Any], options: Mapping[str, Any]
    ) -> Worn:
        age = 3 * self.interval_s
        entities = (
            words.location(options["datum"], age),
            *self._profile.entities(age),
            *map(words.event, self._profile.events()),
            words.voice(tuple(_WORDS), age),
        )
        name = mine.get("name") or f"Helmet {self.phone[-4:]}"
        uid = f"jt808-{self.phone}"
        return Worn(host, device(uid, name, self.label, entities), self.interval_s)

    # --- who it is ------------------------------------------------------------

    def admits(self, code: str) -> bool:
        """Say whether a code proves the terminal: its own secret, or the site's."""
        if self.own_secret:
            known = [self.own_secret]
        elif self._site_secret:
            known = [self._site_secret, code_of(self._site_secret, self.phone)]
        else:
            known = []
        return any([hmac.compare_digest(code.encode(), k.encode()) for k in known])

    def code(self, told: body.Registration) -> str:
        """Return the code for one that registers; '' for one that proves nothing.

        Who knows a phone number only is nobody: the label must be known too.
        """
        if not self.label or told.id != self.label:
            return ""
        if self.own_secret:
            return self.own_secret
        return code_of(self._site_secret, self.phone) if self._site_secret else ""

    # --- what it says ---------------------------------------------------------

    def beat(self) -> None:
        """Take a heartbeat: the voice can still be reached."""
        self.worn.heard()
        self._tell_voice()

    def located(self, seq: int, data: bytes, *, past: bool) -> list[Call]:
        """Take a position report; return the calls that must be durable first.

        Raises FrameError.
        """
        found = body.location(data)
        self.worn.heard()
        stamp = Stamp(found.at, seq)
        if not past or found.at is not None:
            self.worn.report(stamp, self._values(found))
        self._tell_voice()
        kinds: dict[str, bool] = {}
        for bit, kind in {0: "sos", **self._profile.alarms}.items():
            kinds[kind] = kinds.get(kind, False) or bool(found.alarm >> bit & 1)
        mark = f"{found.at:.0f}-{seq}" if found.at is not None else f"{seq}"
        params: dict[str, Value] = {"alarm": found.alarm}
        if found.at is not None:
            params["measured_ms"] = int(found.at * 1000)
        if found.located:
            params["lat"], params["lon"] = found.lat, found.lon
        if past:
            # Of the past: its bits say nothing of what stands now.
            return [
                Call(kind, f"{self.worn.uid}#{kind}#{mark}", {**params, "late": True})
                for kind, on in kinds.items()
                if on
            ]
        standing = self.worn.rising(kinds, mark)
        return [Call(kind, ident, params) for kind, ident in standing.items()]

    def _values(self, found: body.Location) -> dict[str, tuple[Value, str]]:
        values: dict[str, tuple[Value, str]] = {
            "location": (f"{found.lat:.6f},{found.lon:.6f}", "")
        }
        if not found.located:
            values["location"] = None, "helmet.no_fix"
        for number, data in found.items:
            for item in self._profile.items.get(number, ()):
                value = profile.value(item, data)
                values[item.entity] = value, "" if value is not None else "no_value"
        return values

    # --- what it is told ------------------------------------------------------

    async def command(self, command: Command) -> None:
        """Speak; CONFIRMED when the terminal has answered that it did."""
        if command.entity_uid != "voice":
            self._result(command, CommandState.FAILED, "helmet.no_output")
            return
        text = self._text(command.value)
        if not text:
            self._silent()
            self._result(command, CommandState.CONFIRMED, "")
            return
        session = self.session
        if session is None:
            self._result(command, CommandState.FAILED, "helmet.not_connected")
            return
        left_s = (command.deadline_ns - self._host.clock.mono_ns()) / NS
        answer = session.say(text)
        self._host.result(command.id, CommandState.DELIVERED)
        try:
            async with asyncio.timeout(max(0.0, left_s)):
                result = await answer
        except TimeoutError:
            self._result(command, CommandState.EXPIRED, "helmet.no_answer")
            return
        if result != body.DONE:
            gone = (
                "helmet.connection_lost" if result < 0 else f"helmet.refused {result}"
            )
            self._result(command, CommandState.FAILED, gone)
            return
        self.saying, self._voice = text, command.value
        self._repeat()
        self._tell_voice()
        self._result(command, CommandState.CONFIRMED, "")

    def _result(self, command: Command, state: CommandState, detail: str) -> None:
        self._host.result(command.id, state, detail)

    def _text(self, value: bool | float | str) -> str:
        if isinstance(value, str):
            return self._said.get(value, value)
        return self._said["leave"] if value else ""

    def _repeat(self) -> None:
        if self._again is not None:
            self._again.cancel()
        self._again = self._host.timer.call_later(AGAIN_S, self._once_more)

    def _once_more(self) -> None:
        """Say it again: whoever did not hear it the first time is in danger still."""
        self._again = None
        if not self.saying:
            return
        if self.session is not None:
            self.session.say(self.saying)
        self._repeat()

    def _silent(self) -> None:
        self.saying, self._voice = "", False
        if self._again is not None:
            self._again.cancel()
            self._again = None
        self._tell_voice()

    def _tell_voice(self) -> None:
        self.worn.tell("voice", self._voice, Quality.GOOD)

    async def close(self) -> None:
        """End what waits."""
        if self._again is not None:
            self._again.cancel()
        await self.worn.close()
