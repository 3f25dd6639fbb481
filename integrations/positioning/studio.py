"""A Sewio server: pushed changes over a WebSocket, else its REST interface."""

from collections.abc import Callable, Mapping
from typing import Any

import aiohttp

from core.api import AuthError, Host
from integrations.positioning import sewio
from integrations.positioning.model import Sighting, UnreadableError

TIMEOUT_S = 5.0
#: A larger message or answer is read by nobody.
MAX_MESSAGE, MAX_ANSWER = 256 << 10, 8 << 20
#: While REST stands in, the WebSocket is tried again this often.
RETRY_S = 15.0
MAX_BACKOFF_S = 15.0
_BASE = "/sensmapserver/api"


class Studio:
    """Speak to one server until cancelled."""

    def __init__(
        self,
        host: Host,
        options: Mapping[str, Any],
        key: str,
        take: Callable[[Sighting], None],
        bad: Callable[[UnreadableError, bytes], None],
        told: Callable[[bool, str], None],
    ) -> None:
        self._host, self._options, self._key = host, options, key
        self._take, self._bad, self._told = take, bad, told
        self.door = ""
        """websocket, rest, or '' while neither is open."""
        self.last_error = ""
        tls = "s" if options["tls"] else ""
        name = options["host"]
        shown = f"[{name}]" if ":" in name else name
        self._ws_url = f"ws{tls}://{shown}:{options['ws_port']}/"
        self._rest_url = f"http{tls}://{shown}:{options['port']}{_BASE}"

    async def run(self) -> None:
        """Serve until cancelled; raises AuthError when the key is refused."""
        wait = 0.0
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        headers = {"X-ApiKey": self._key}
        while True:
            stood = False
            try:
                async with aiohttp.ClientSession(
                    timeout=timeout, headers=headers
                ) as session:
                    feeds = await self._tags(session)
                    stood = True
                    await self._serve(session, feeds)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                self.last_error = f"{type(error).__name__}: {error}"[:200]
                if self.door:
                    self.door = ""
                    self._told(False, "positioning.server_lost")
            wait = 0.2 if stood else min(max(wait * 2, 0.2), MAX_BACKOFF_S)
            await self._host.timer.sleep(wait)

    async def _serve(self, session: aiohttp.ClientSession, feeds: list[str]) -> None:
        try:
            await self._push(session, feeds)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.last_error = f"{type(error).__name__}: {error}"[:200]
            self._host.count("positioning.websocket_failed", self.last_error)
        await self._poll(session)

    async def _push(self, session: aiohttp.ClientSession, feeds: list[str]) -> None:
        async with session.ws_connect(
            self._ws_url,
            heartbeat=10,
            max_msg_size=MAX_MESSAGE,
            timeout=aiohttp.ClientWSTimeout(ws_close=TIMEOUT_S),
        ) as socket:
            for feed in feeds or [""]:
                await socket.send_str(sewio.subscription(feed, self._key))
            self._stands("websocket")
            async for message in socket:
                if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    self._heard(message.data)
            if socket.close_code in (1008, 4001, 4003):
                raise AuthError("the server refused the API key")

    async def _poll(self, session: aiohttp.ClientSession) -> None:
        """Ask for all tags until the WebSocket is worth another try."""
        polls = max(1, int(RETRY_S / self._options["poll_s"]))
        for _ in range(polls):
            await self._tags(session)
            self._stands("rest")
            await self._host.timer.sleep(self._options["poll_s"])

    def _stands(self, door: str) -> None:
        if not self.door:
            self._told(True, "")
        self.door = door

    async def _tags(self, session: aiohttp.ClientSession) -> list[str]:
        """Read all tags by REST; return the ids to subscribe to."""
        async with session.get(f"{self._rest_url}/tags") as answer:
            if answer.status in (401, 403):
                raise AuthError("the server refused the API key")
            answer.raise_for_status()
            data = bytearray()
            async for chunk in answer.content.iter_chunked(65_536):
                data += chunk
                if len(data) > MAX_ANSWER:
                    raise aiohttp.ClientPayloadError("an answer without an end")
        wanted: list[str] = list(self._options["feeds"])
        try:
            found = sewio.feeds(bytes(data))
        except UnreadableError as error:
            self._bad(error, bytes(data))
            return wanted
        for each in found:
            if not wanted or each.node in wanted:
                self._take(each)
        return wanted or [each.node for each in found]

    def _heard(self, data: str | bytes) -> None:
        try:
            found = sewio.push(data)
        except UnreadableError as error:
            self._bad(error, data.encode() if isinstance(data, str) else data)
            return
        wanted = self._options["feeds"]
        if found is not None and (not wanted or found.node in wanted):
            self._take(found)
