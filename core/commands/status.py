"""``safehold status``, ``stop`` and ``restart``: speak to a running keeper."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from core import texts
from core.link.messages import ActReply
from core.processes.acts import EndPower
from core.processes.caller import LinkEnded, ask_core
from core.processes.guest import NotRunning, ask

_ANSWER_S = 10.0


def main(argv: list[str]) -> int:
    """Show the processes; exit status 0 when the hub is armed, 3 when it is not."""
    options = _parser("status", "Show the processes of a running hub.").parse_args(argv)
    answer = _ask("status", options.data, {"op": "status"})
    if answer is None:
        return 3
    for name, child in answer["processes"].items():
        sys.stdout.write(
            f"{name:<24} {child['state']:<8} pid {child['pid'] or '-':<8} "
            f"starts {child['starts']:<4} {child['detail']}\n"
        )
    return 0 if answer["ready"] else 3


def stop(argv: list[str]) -> int:
    """End a running hub in order, at once or at a known power end."""
    parser = _parser("stop", "End a running hub in order.")
    parser.add_argument(
        "--power-end",
        type=float,
        metavar="SECONDS",
        help="the power ends then: tell all, hold all work, stop just before",
    )
    options = parser.parse_args(argv)
    if options.power_end is not None:
        return _end_power(options.data, options.power_end)
    return 3 if _ask("stop", options.data, {"op": "stop"}) is None else 0


def _end_power(data: str, seconds: float) -> int:
    """Announce a power end; the hub then stops by itself."""
    try:
        reply = asyncio.run(_announce(Path(data).resolve(), seconds))
    except (NotRunning, LinkEnded, TimeoutError) as error:
        sys.stderr.write(f"safehold stop: {error}\n")
        return 3
    if not reply.ok:
        said = texts.render(reply.code, dict(reply.params), "en")
        sys.stderr.write(f"safehold stop: {said}\n")
        return 2
    sys.stdout.write(
        f"announced: all work is held, and the hub stops before {seconds:g} s are over"
        "\n'safehold status' shows whether it has\n"
    )
    return 0


async def _announce(data: Path, seconds: float) -> ActReply:
    answer, socks = ask(data, {"op": "attach"})
    if answer["op"] != "done":
        raise LinkEnded(str(answer.get("detail", "the hub is starting")))
    async with asyncio.timeout(_ANSWER_S):
        return await ask_core("stop", EndPower(seconds=seconds), socks)


def restart(argv: list[str]) -> int:
    """Start one process afresh."""
    parser = _parser("restart", "Start one process of a running hub afresh.")
    parser.add_argument("name", help="its name, as 'safehold status' shows it")
    options = parser.parse_args(argv)
    packet = {"op": "restart", "name": options.name}
    answer = _ask("restart", options.data, packet)
    if answer is None:
        return 3
    if answer["op"] == "refused":
        sys.stderr.write(f"safehold restart: {options.name}: {answer['detail']}\n")
        return 2
    return 0


def _parser(name: str, text: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"safehold {name}", description=text)
    parser.add_argument("--data", required=True, help="folder of the hub's data")
    return parser


def _ask(name: str, data: str, packet: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return ask(Path(data).resolve(), packet)[0]
    except (NotRunning, TimeoutError) as error:
        sys.stderr.write(f"safehold {name}: {error}\n")
        return None
