"""The notifier's child: takes letters on its input, sends them, each in its thread.

Apprise is imported with the first letter that needs it. A letter that hangs holds
up nobody; the notifier gives up on it by its own deadline.
"""

import logging
import re
import socket
import sys
import threading
from typing import Any

from core.processes import lean  # noqa: F401  (before msgspec)

import msgspec  # isort: skip

from core.channels import push
from core.channels.letters import Letter, Reply
from core.channels.services import Service, scheme_of, services
from core.clock import RealClock

#: No answer within this is a failure, however slowly it comes.
ANSWER_S = 10.0
_STATUS = re.compile(r"(?:error=|failed: )(\d{3})\b")


class _Heard(threading.local):
    """What this thread's service said: the status, and the code of a JSON answer."""

    status = 0
    code = 0
    error = ""


_heard = _Heard()


class _Listener(logging.Handler):
    """Take the status from what apprise logs; the lines themselves go nowhere."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a status."""
        found = _STATUS.search(record.getMessage())
        if found:
            _heard.status = int(found[1])


def send(letter: Letter) -> Reply:
    """Send one letter; a failure is a reply, not an error."""
    try:
        scheme = scheme_of(letter.address)
    except ValueError:
        return Reply(id=letter.id, ok=False, detail="bad_address")
    _heard.status, _heard.code, _heard.error = 0, 0, ""
    if scheme == "push":
        detail = _push(letter)
    else:
        detail = _apprise(letter, services()[scheme])
    return Reply(id=letter.id, ok=not detail, detail=detail)


def _push(letter: Letter) -> str:
    try:
        to = msgspec.json.decode(letter.address, type=push.Subscription)
    except msgspec.MsgspecError:
        return "bad_address"
    key = push.hub_key(letter.vapid)
    headers = {
        "Authorization": push.vouch(to.endpoint, key, letter.contact, RealClock()),
        "Urgency": "high" if letter.urgent else "normal",
        # The same notice again takes the place of one that was not fetched yet.
        "Topic": letter.id[:32],
    }
    return push.send(to, letter.body.encode(), headers)


def _apprise(letter: Letter, service: Service) -> str:
    apprise = _import()
    # The service itself: apprise's own queue would run it in another thread.
    made = apprise.Apprise.instantiate(letter.address)
    if made is None:
        return "bad_address"
    kind = apprise.NotifyType.FAILURE if letter.urgent else apprise.NotifyType.INFO
    ok = made.notify(title=letter.title, body=letter.body, notify_type=kind)
    if _heard.code and service.code:
        # A bot refuses with status 200 and a code of its own.
        return "too_many" if _heard.code in service.slow else "refused"
    if ok:
        return ""
    if _heard.status == 429:
        return "too_many"
    return _heard.error or (f"http_{_heard.status}" if _heard.status else "refused")


_loading = threading.Lock()
_listening: list[logging.Handler] = []


def _import() -> Any:
    """Import apprise, listening to what its services answer."""
    with _loading:
        import apprise

        if not _listening:
            _listening.append(_Listener())
            _listen()
        return apprise


def _listen() -> None:
    import requests

    socket.setdefaulttimeout(ANSWER_S)
    log = logging.getLogger("apprise")
    log.addHandler(_listening[0])
    log.propagate = False
    plain = requests.Session.request

    def request(*args: Any, **kwargs: Any) -> Any:
        try:
            answer = plain(*args, **kwargs)
        except requests.RequestException as bad:
            _heard.error = _why(bad)
            raise
        _heard.status, _heard.code = answer.status_code, _code(answer)
        return answer

    # Every service goes this way; they look at the status alone.
    requests.Session.request = request  # type: ignore[method-assign]


def _why(bad: Exception) -> str:
    name = type(bad).__name__.lower()
    for word, code in (("timeout", "timeout"), ("ssl", "tls")):
        if word in name:
            return code
    return "unreachable"


def _code(answer: Any) -> int:
    """Return the code of a bot's JSON answer; 0 where it has none."""
    try:
        found = answer.json()
    except ValueError:
        return 0
    if not isinstance(found, dict):
        return 0
    codes = (found.get(name) for name in ("errcode", "code", "StatusCode"))
    return next((c for c in codes if isinstance(c, int) and c), 0)


def main() -> None:
    """Answer letters, each line one, until the input ends."""
    writing = threading.Lock()

    def work(letter: Letter) -> None:
        try:
            reply = send(letter)
        except Exception as error:  # noqa: BLE001 - a service's plug-in is not ours:
            # whatever it raises is a failed letter, and the others go on.
            reply = Reply(id=letter.id, ok=False, detail=type(error).__name__)
        with writing:
            sys.stdout.buffer.write(msgspec.json.encode(reply) + b"\n")
            sys.stdout.buffer.flush()

    for line in sys.stdin.buffer:
        letter = msgspec.json.decode(line, type=Letter)
        threading.Thread(target=work, args=(letter,), daemon=True).start()


if __name__ == "__main__":
    main()
