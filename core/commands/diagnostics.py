"""``safehold diagnostics``: what support needs of a running hub; no secret in it."""

import argparse
import asyncio
import json
import os
import platform
import socket
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from core.link import messages as m
from core.link.client import Client
from core.processes.guest import NotRunning, ask

#: All hosts together have so long; one that hangs is told as such.
_ANSWER_S = 8.0
_HOST = "host:"


def main(argv: list[str]) -> int:
    """Write the bundle as JSON; exit status 3 when no hub answers."""
    parser = argparse.ArgumentParser(
        prog="safehold diagnostics",
        description="Tell what support needs of a running hub, without secrets.",
    )
    parser.add_argument("--data", required=True, help="folder of the hub's data")
    parser.add_argument("--out", type=Path, help="file to write; standard output")
    asked = parser.parse_args(argv)
    try:
        told = asyncio.run(_gather(Path(asked.data).resolve()))
        text = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
        if asked.out is None:
            sys.stdout.write(text)
        else:
            _write(asked.out, text)
    except (NotRunning, OSError) as error:
        sys.stderr.write(f"safehold diagnostics: {error}\n")
        return 3
    return 0


def _write(file: Path, text: str) -> None:
    """Write a new file that its owner alone may read."""
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as out:
        out.write(text)


async def _gather(data: Path) -> dict[str, Any]:
    processes = ask(data, {"op": "status"})[0]["processes"]
    hosts = [name.removeprefix(_HOST) for name in processes if name.startswith(_HOST)]
    return {
        "safehold": _version(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processes": processes,
        "integrations": await _diagnoses(data, hosts),
    }


def _version() -> str:
    try:
        return version("safehold")
    except PackageNotFoundError:
        return "unknown"


async def _diagnoses(data: Path, hosts: list[str]) -> dict[str, Any]:
    """Ask every host through core; one that says nothing has an error instead."""
    found: dict[str, Any] = {each: {"error": "host.silent"} for each in hosts}
    answer, socks = ask(data, {"op": "attach"})
    if answer["op"] != "done" or not hosts:
        for sock in socks:
            sock.close()
        return found
    try:
        async with asyncio.timeout(_ANSWER_S):
            await _ask_all(found, socks)
    except TimeoutError:
        return found
    return found


async def _ask_all(found: dict[str, Any], socks: list[socket.socket]) -> None:
    """Fill in what each host answers."""
    waiting, done = set(found), asyncio.Event()

    def take(message: m.Message) -> None:
        if isinstance(message, m.Diagnosis) and message.id in waiting:
            found[message.id] = _facts(message)
            waiting.discard(message.id)
            if not waiting:
                done.set()

    hello = m.Hello(name="diagnostics", role="caller", version="1")
    client = Client(lambda: hello, take, None, lambda _: done.set())
    client.attach(["safety"], socks)
    try:
        for each in found:
            client.send(m.Diagnose(each, each))
        await done.wait()
    finally:
        client.detach()


def _facts(message: m.Diagnosis) -> Any:
    if message.error:
        return {"error": message.error}
    try:
        return json.loads(message.facts)
    except ValueError:
        return {"error": "host.malformed"}
