"""``safehold notice``: keep addresses, send a test and watch it, tell the figures.

An address is read from the input, so that it stands in no list of processes.
"""

import argparse
import asyncio
import getpass
import sys
from pathlib import Path

from core import texts
from core.channels.services import (
    RELAY,
    BadAddress,
    group_secret,
    hint,
    scheme_of,
    secret_name,
)
from core.clock import RealClock
from core.processes.guest import NotRunning
from core.registry.secrets import Secrets
from core.response.notices_acts import DropContact, KeepContact, SendTest
from core.texts.sentences import add_option
from frontend_api.commands.story import Story
from frontend_api.ledgers.apply import NotDone
from frontend_api.ledgers.site import Site, attached
from frontend_api.notice_stats import tally

#: States behind which nothing more is waited for.
_ENDS = ("seen", "acknowledged", "failed")
_LOOK_S = 0.1


def main(argv: list[str]) -> int:
    """Do what the line says; status 0, 1 when refused or failed, 2 without a hub."""
    options = _options(argv)
    data = Path(options.data).resolve()
    try:
        if options.do == "stats":
            return _stats(data)
        if options.do == "group":
            return _group(data, group_secret(options.channel))
        if options.do == "relay":
            return _group(data, RELAY)
        return asyncio.run(_run(options, data))
    except (NotDone, BadAddress) as no:
        code = str(no)
        said = texts.render(code, {}, options.language) if "contact." in code else code
        sys.stderr.write(f"safehold notice: {said}\n")
        return 1
    except (NotRunning, OSError) as bad:  # TimeoutError is an OSError
        sys.stderr.write(f"safehold notice: {bad}\n")
        return 2


async def _run(options: argparse.Namespace, data: Path) -> int:
    secrets, person = Secrets(data), options.person
    clock, by = RealClock(), options.by or person
    async with attached(data, clock, by, options.language) as site:
        if options.do == "list":
            return _list(site, secrets)
        if options.do == "test":
            return await _test(site, options)
        name = secret_name(person, options.channel)
        if options.do == "drop":
            await site.act(DropContact(channel=options.channel, person_id=person))
            secrets.put(name, "")
            return 0
        address = _address()
        service = scheme_of(address)
        secrets.put(name, address)
        await site.act(
            KeepContact(channel=options.channel, service=service, person_id=person)
        )
        sys.stdout.write(f"{person} {options.channel}: {service} {hint(address)}\n")
        return 0


def _address() -> str:
    """Return the address, from a pipe or typed unseen."""
    if sys.stdin.isatty():
        return getpass.getpass("address (not shown): ").strip()
    return sys.stdin.readline().strip()


def _group(data: Path, name: str) -> int:
    address = _address()
    service = scheme_of(address)
    if name == RELAY and not service.startswith("mailto"):
        raise BadAddress("contact.relay")
    Secrets(data).put(name, address)
    sys.stdout.write(f"{name}: {service} {hint(address)}\n")
    return 0


def _list(site: Site, secrets: Secrets) -> int:
    kept = site.replica.state.response.contacts
    for person in site.replica.bundle.people:
        channels = {**person.contacts, **kept.get(person.id, {})}
        for channel in channels:
            address = secrets.get(secret_name(person.id, channel)) or ""
            service = scheme_of(address) if address else "no address"
            sys.stdout.write(f"{person.id} {channel} {service} {hint(address)}\n")
    for group in site.replica.bundle.notices.channels:
        address = secrets.get(group_secret(group.id)) or ""
        service = scheme_of(address) if address else "no address"
        sys.stdout.write(f"group {group.id} {service} {hint(address)}\n")
    return 0


async def _test(site: Site, options: argparse.Namespace) -> int:
    """Send a test, and show each state as it comes."""
    act = SendTest(channel=options.channel, person_id=options.person)
    notice_id = str((await site.act(act))["notice_id"])
    shown, clock = "", RealClock()
    began = clock.mono_ns()
    while (passed := (clock.mono_ns() - began) / 1e9) < options.wait:
        record = site.replica.state.response.notices.get(notice_id)
        state = record.channels.get(options.channel, "") if record else shown
        if record is not None and state != shown:
            detail = record.details.get(options.channel, "")
            sys.stdout.write(f"{passed:>6.1f} s  {state}  {detail}".rstrip() + "\n")
            sys.stdout.flush()
            shown = state
        if shown in _ENDS:
            break
        await asyncio.sleep(_LOOK_S)
    return 0 if shown in ("sent", "delivered", "seen", "acknowledged") else 1


def _stats(data: Path) -> int:
    lines = tally(Story(data).tell())
    head = "channel   queued   sent delivered  seen  acked failed  median s  why"
    sys.stdout.write(head + "\n")
    for one in lines:
        why = ", ".join(f"{code} {count}" for code, count in one.why.items())
        median = "-" if one.sent_s is None else f"{one.sent_s:.1f}"
        sys.stdout.write(
            f"{one.channel:<9} {one.queued:>6} {one.sent:>6} {one.delivered:>9} "
            f"{one.seen:>5} {one.acknowledged:>6} {one.failed:>6} {median:>9}  {why}\n"
        )
    return 0


def _options(argv: list[str]) -> argparse.Namespace:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--data", required=True, help="folder of the hub's data")
    common.add_argument("--by", default="", help="in whose name, by id")
    add_option(common)
    parser = argparse.ArgumentParser(
        prog="safehold notice",
        description="Keep addresses, send a test notice, tell how channels do.",
    )
    parts = parser.add_subparsers(dest="do", required=True)
    for name, text in (
        ("set", "keep an address, read from the input"),
        ("drop", "forget a channel and its address"),
        ("test", "send a test and show each state as it comes"),
        ("group", "keep a group's address, read from the input"),
        ("relay", "keep the mail server's address, read from the input"),
        ("list", "list channels, without their addresses"),
        ("stats", "tell how well each channel reaches people"),
    ):
        part = parts.add_parser(name, help=text, description=text, parents=[common])
        if name in ("set", "drop", "test"):
            part.add_argument("person", help="id of the person")
        if name in ("set", "drop", "test", "group"):
            part.add_argument("channel", help="such as mail, sms; a group's own id")
        if name == "test":
            part.add_argument("--wait", type=float, default=60.0, help="seconds (60)")
    parser.set_defaults(person="", channel="")
    return parser.parse_args(argv)
