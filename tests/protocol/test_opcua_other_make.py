"""The OPC UA driver against a server of another make, where one is at hand.

open62541's Python package ``o6`` is commercial and 70 MB, so it is no dependency of
the project: ``pip install o6`` into any environment and name its Python in
``SAFEHOLD_O6_PYTHON``.
"""

import asyncio
import importlib.util
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.api import Command, CommandState, Quality
from integrations.opcua import browse, identity
from integrations.opcua.integration import OpcUaIntegration
from tests.support.host import FakeHost, Running
from tests.support.waiting import until

SERVER = Path(__file__).with_name("opcua_other_make.py")
PYTHON = os.environ.get("SAFEHOLD_O6_PYTHON") or (
    sys.executable if importlib.util.find_spec("o6") else ""
)
pytestmark = pytest.mark.skipif(
    not PYTHON, reason="no Python with the package o6 (set SAFEHOLD_O6_PYTHON)"
)


class Other:
    """One open62541 server in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process, self.port = process, port

    async def say(self, line: str) -> None:
        """Serve another value."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        await self.heard("done")

    async def heard(self, word: str) -> None:
        """Wait for a line of the server's own."""
        assert self.process.stdout is not None
        while (line := await self.process.stdout.readline()).strip() != word.encode():
            assert line, "the server has ended"


@pytest.fixture
async def other(tmp_path: Path) -> AsyncIterator[Other]:
    made = identity.Identity(identity.make("urn:other:make"))
    certificate, key = tmp_path / "c.der", tmp_path / "k.der"
    certificate.write_bytes(made.certificate)
    key.write_bytes(made.key)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(PYTHON, str(SERVER), str(port), str(certificate), str(key)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"]},
    )
    found = Other(process, port)
    await found.heard("ready")
    yield found
    assert process.stdin is not None
    process.stdin.close()
    await process.wait()


def _options(port: int, fingerprint: str) -> dict[str, Any]:
    """Return the server with a gas value and a relay."""
    entities = {
        "gas": {"node": "s=Gas", "kind": "gas", "quantity": "ch4", "unit": "%LEL"},
        "relay": {"node": "s=Relay", "kind": "output", "output": {"kind": "siren"}},
    }
    return {
        "id": "other",
        "host": "127.0.0.1",
        "port": port,
        "application_uri": "urn:other:make",
        "interval_s": 0.5,
        "security": {
            "policy": "basic256sha256",
            "fingerprint": fingerprint,
            "identity": "opcua.identity",
        },
        "devices": [{"uid": "D1", "namespace": "urn:other:make", "entities": entities}],
    }


async def test_values_qualities_and_outputs_of_another_make(other: Other) -> None:
    """R16: what asyncua's own server proves holds for open62541 too."""
    found = await browse.endpoints(f"opc.tcp://127.0.0.1:{other.port}")
    secure = next(e for e in found if e.policy == "basic256sha256")
    server = _options(other.port, secure.fingerprint)
    secrets = {"opcua.identity": identity.make("urn:safehold:hub")}
    host = FakeHost({"servers": [server], "secrets": secrets})
    driver = OpcUaIntegration(host)

    def seen(value: object, quality: Quality) -> bool:
        last = host.last("D1", "gas")
        return last is not None and last[:2] == (value, quality)

    async with Running(driver):
        await until(lambda: seen(0.0, Quality.GOOD), "the first value")
        await other.say("12.5")
        await until(lambda: seen(12.5, Quality.GOOD), "the change")
        await other.say("bad")
        await until(lambda: seen(None, Quality.FAULT), "the fault")
        await other.say("3")
        await until(lambda: seen(3.0, Quality.GOOD), "good again")
        end = host.clock.mono_ns() + 5_000_000_000
        await driver.command(
            Command(
                id="c", device_uid="D1", entity_uid="relay", value=True, deadline_ns=end
            )
        )
        assert host.states("c")[-1] is CommandState.CONFIRMED
