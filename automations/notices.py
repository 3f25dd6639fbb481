"""Who is told, and how: chains, shifts, groups and quiet hours into the bundle."""

from typing import Any

from core.api.documents import Document
from core.api.said import Said
from core.config import ChainStep, NotifyChain
from core.names import Names
from core.response.notices_config import (
    Modem,
    NoticeChannel,
    NoticePolicy,
    Recipient,
    Shift,
    Span,
)

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: What nobody may put off: the calls to leave, and the orders to stop work.
_NEVER = (
    *("order.", "alarm.", "notice.regulator"),
    *(f"notice.{about}" for about in ("evacuation", "power_end", "permit_")),
)


def compile_chains(data: dict[str, Any]) -> tuple[NotifyChain, ...]:
    """Return the escalation chains."""
    return tuple(
        NotifyChain(
            id=each["id"],
            steps=tuple(
                ChainStep(
                    roles=step["roles"],
                    channels=step.get("channels", ("screen",)),
                    respond_s=step.get("respond_within", 60.0),
                    on_shift=step.get("on_shift", False),
                )
                for step in each["steps"]
            ),
        )
        for each in data.get("notify", ())
    )


def contacts(given: Any) -> dict[str, str]:
    """Return a person's channels as the bundle holds them; ids are all it tells."""
    return dict(given) if isinstance(given, dict) else dict.fromkeys(given, "")


def compile_notices(document: Document, data: dict[str, Any]) -> NoticePolicy:
    """Return how notices go; raises ConfigError where life safety would wait."""
    given = data.get("notices", {})
    for code in given.get("may_wait", ()):
        if any(code.startswith(each) or each.startswith(code) for each in _NEVER):
            raise document.error(
                ("notices", "may_wait"),
                Said("{code!r} must reach people at any hour: leave it out", code=code),
            )
    channels = {each["id"] for each in given.get("channels", ())}
    for number, each in enumerate(given.get("regulators", ())):
        for channel in each["channels"]:
            if channel not in channels:
                raise document.error(
                    ("notices", "regulators", number, "channels"),
                    Said(
                        "{channel!r} is none of the 'channels' of the notices; "
                        "known: {known}",
                        channel=channel,
                        known=", ".join(sorted(channels)) or "-",
                    ),
                )
    modem = given.get("modem")
    return NoticePolicy(
        link=given.get("link", ""),
        quiet=tuple(_span(each) for each in given.get("quiet", ())),
        may_wait=tuple(given.get("may_wait", ())),
        channels=tuple(_channel(each) for each in given.get("channels", ())),
        modem=None if modem is None else Modem(**modem),
        regulators=tuple(
            Recipient(
                id=each["id"],
                names=Names(**each["names"]),
                channels=tuple(each["channels"]),
            )
            for each in given.get("regulators", ())
        ),
        report_within_s=given.get("report_within", 3600.0),
    )


def compile_shifts(document: Document, data: dict[str, Any]) -> tuple[Shift, ...]:
    """Return the shifts; raises ConfigError for people whom the site has not."""
    people = {person["id"] for person in data.get("people", ())}
    made = []
    for number, each in enumerate(data.get("shifts", ())):
        for person in each["people"]:
            if person not in people:
                raise document.error(
                    ("shifts", number, "people"),
                    Said(
                        "{person!r} is no person of this site; known: {people}",
                        person=person,
                        people=sorted(people),
                    ),
                )
        made.append(_shift(document, number, each))
    return tuple(made)


def _shift(document: Document, number: int, each: dict[str, Any]) -> Shift:
    rota = each.get("rota", {})
    cycle, on = rota.get("days", 1), tuple(rota.get("on", (0,)))
    if any(day >= cycle for day in on):
        raise document.error(
            ("shifts", number, "rota"),
            Said(
                "the rota has {cycle} days: 'on' counts them from 0 to {value}",
                cycle=cycle,
                value=cycle - 1,
            ),
        )
    return Shift(
        id=each["id"],
        names=Names(**each["names"]),
        span=_span(each),
        people=tuple(each["people"]),
        days=tuple(_DAYS.index(day) + 1 for day in each.get("days", _DAYS)),
        first=rota.get("from", ""),
        cycle=cycle,
        on=on,
    )


def _channel(each: dict[str, Any]) -> NoticeChannel:
    return NoticeChannel(
        id=each["id"],
        names=Names(**each["names"]),
        rate=each.get("rate", 0),
        per_s=each.get("per", 60.0),
    )


def _span(each: dict[str, Any]) -> Span:
    return each["from"], each["to"]
