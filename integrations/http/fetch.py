"""Ask and tell other systems over HTTP: bounded, with a deadline, no redirects."""

from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from core.api import AuthError, DeviceError
from integrations.http import body
from integrations.http.body import BodyError

_REFUSED: Final = (401, 403)
_MAX_HEADER: Final = 8_190
#: Values that a question takes at most; the body of an output's command.
MAX_BODY: Final = 4_096


class FetchError(Exception):
    """The other system did not answer as it should; ``reason`` is a code."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def session() -> aiohttp.ClientSession:
    """Return a session that keeps no cookies and follows nothing."""
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(limit=32, limit_per_host=4),
        max_line_size=_MAX_HEADER,
        max_field_size=_MAX_HEADER,
        trust_env=False,
    )


def headers(source: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, str]:
    """Return the header that holds the source's token, if it has one."""
    token = secrets.get(source.get("token", ""), "")
    if not token:
        return {}
    name = str(source["header"])
    return {name: f"Bearer {token}" if name == "Authorization" else token}


async def ask(
    web: aiohttp.ClientSession,
    url: str,
    *,
    timeout_s: float,
    headers: Mapping[str, str],
    method: str = "GET",
    data: str = "",
) -> bytes:
    """Return the body of an answer; raises FetchError, AuthError."""
    if "\n" in "".join(headers.values()) or "\r" in "".join(headers.values()):
        raise AuthError("a token must be one line")
    sent = dict(headers) | ({"Content-Type": "application/json"} if data else {})
    try:
        async with web.request(
            method,
            url,
            headers=sent,
            data=data.encode()[:MAX_BODY] or None,
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            allow_redirects=False,
        ) as answer:
            if answer.status in _REFUSED:
                raise AuthError(f"answered {answer.status}: is the token right?")
            if not 200 <= answer.status < 300:
                raise FetchError("http.status", f"answered {answer.status}")
            return await _bounded(answer)
    except TimeoutError as late:
        raise FetchError("http.slow", f"no answer within {timeout_s:g} s") from late
    except aiohttp.ClientPayloadError as cut:
        raise FetchError("http.cut", str(cut)[:120]) from cut
    except (aiohttp.ClientError, OSError, ValueError) as wrong:
        raise FetchError("http.unreachable", type(wrong).__name__) from wrong


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    parts, size = [], 0
    async for part in answer.content.iter_chunked(1 << 16):
        size += len(part)
        if size > body.MAX_BYTES:
            raise FetchError("http.too_long", f"more than {body.MAX_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)


async def tried(
    options: Mapping[str, Any], secrets: Mapping[str, str]
) -> dict[str, str]:
    """Ask every polled service once; say how many records its mapping finds.

    Raises AuthError, DeviceError with the source and the path that is missing.
    """
    found: dict[str, str] = {}
    async with session() as web:
        for source in options["sources"]:
            if "poll" not in source:
                continue
            limit, head = source["timeout_s"], headers(source, secrets)
            try:
                data = await ask(web, source["poll"], timeout_s=limit, headers=head)
                records = body.parse(data, source["format"], source["records"])
                for entity in source["entities"] if records else ():
                    body.at(records[0], entity["path"])
            except (FetchError, BodyError) as wrong:
                raise DeviceError(f"{source['id']}: {wrong}") from wrong
            found[source["id"]] = str(len(records))
    return found
