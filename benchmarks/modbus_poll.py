"""CPU of polling 256 registers on 32 devices each second, against bare pymodbus.

One simulated bus of 32 devices with 8 registers each, in a process of its own. The
floor is pymodbus alone: one request a device, a comparison of each register; the
integration reads, judges, scales and reports each of them into a host that drops them.
Each runs in a process of its own, by turns; what is told is CPU time in per cent of
one core while it polls.

    python benchmarks/modbus_poll.py [--rounds 3] [--seconds 8]

Aim: the integration takes at most 15 % of one core. Exit status 1 when missed.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pymodbus.client import AsyncModbusTcpClient  # noqa: E402

from benchmarks.mqtt_host import NullHost  # noqa: E402
from integrations.modbus.integration import ModbusIntegration  # noqa: E402

AIM = 15.0
DEVICES, REGISTERS = 32, 8
#: Polls until everything is connected, declared and warm.
WARM_S = 2.0


def profile() -> dict[str, Any]:
    """Return a device of eight measured registers, as a profile's plain data."""
    names = [f"r{number}" for number in range(REGISTERS)]
    return {
        "profile": "bench-8",
        "version": 1,
        "names": {"en": "eight registers", "zh": "八个寄存器"},
        "manufacturer": "bench",
        "model": "bench",
        "source": "this benchmark",
        "poll_s": 1,
        "registers": {
            name: {"address": number, "type": "u16"}
            for number, name in enumerate(names)
        },
        "entities": {
            name: {
                "kind": "sensor",
                "names": {"en": name, "zh": name},
                "quantity": "temperature",
                "unit": "°C",
                "scale": 0.1,
                "range": [0, 5000],
                "from": name,
            }
            for name in names
        },
        "vectors": [
            {"name": "one", "holding": {0: 209}, "expect": {"r0": {"quality": "good"}}}
        ],
    }


def options(folder: Path, port: int) -> dict[str, Any]:
    """Return the options of driver and simulator."""
    devices = [
        {"unit": unit, "profile": str(folder / "bench-8.yaml"), "uid": f"d{unit}"}
        for unit in range(1, DEVICES + 1)
    ]
    bus = {"id": "b1", "tcp": f"127.0.0.1:{port}", "devices": devices}
    return {"buses": [bus]}


async def hub(folder: Path, port: int, seconds: float) -> tuple[float, float]:
    """Return CPU in per cent, and readings a second, of the integration."""
    host = NullHost(options(folder, port), 1 << 60)
    driver = ModbusIntegration(host)  # type: ignore[arg-type]
    running = asyncio.get_running_loop().create_task(driver.run())
    await asyncio.sleep(WARM_S)
    return await _measured(running, lambda: host.reports, seconds)


async def bare(port: int, seconds: float) -> tuple[float, float]:
    """Return the same of pymodbus alone."""
    seen = 0

    async def poll() -> None:
        nonlocal seen
        client = AsyncModbusTcpClient("127.0.0.1", port=port)
        await client.connect()
        due = time.monotonic()
        while True:
            for unit in range(1, DEVICES + 1):
                answer = await client.read_holding_registers(
                    0, count=REGISTERS, device_id=unit
                )
                for value in answer.registers:
                    seen += value < 50_000
            due += 1.0
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    running = asyncio.get_running_loop().create_task(poll())
    await asyncio.sleep(WARM_S)
    return await _measured(running, lambda: seen, seconds)


async def _measured(
    running: "asyncio.Task[None]", seen: Any, seconds: float
) -> tuple[float, float]:
    before, cpu, start = seen(), time.process_time(), time.perf_counter()
    await asyncio.sleep(seconds)
    spent, span = time.process_time() - cpu, time.perf_counter() - start
    rate = (seen() - before) / span
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return 100.0 * spent / span, rate


def subject(name: str, folder: Path, port: int, seconds: float) -> tuple[float, float]:
    """Run one subject in a process of its own."""
    args = [f"--subject={name}", f"--port={port}", f"--data={folder}"]
    done = subprocess.run(
        [sys.executable, __file__, *args, f"--seconds={seconds}"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=seconds * 4 + 60,
    )
    share, rate = json.loads(done.stdout)
    return share, rate


def compare(folder: Path, port: int, rounds: int, seconds: float) -> bool:
    """Print what each takes, and whether the aim was reached."""
    found: dict[str, list[float]] = {"bare": [], "hub": []}
    wanted = DEVICES * REGISTERS
    for number in range(rounds):
        order = ("bare", "hub") if number % 2 == 0 else ("hub", "bare")
        for name in order:
            share, rate = subject(name, folder, port, seconds)
            found[name].append(share)
            sys.stdout.write(f"{name:>5}  {share:5.1f} % of a core  {rate:6.0f}/s\n")
            if not 0.8 * wanted <= rate <= 1.3 * wanted:
                sys.stdout.write(f"{name} did not read {wanted} registers a second\n")
                return False
    share, floor = (statistics.median(found[name]) for name in ("hub", "bare"))
    reached = share <= AIM
    word = "reached" if reached else "MISSED"
    sys.stdout.write(
        f"integration {share:.1f} % (bare pymodbus {floor:.1f} %), "
        f"aim at most {AIM:.0f} %: {word}\n"
    )
    return reached


def main() -> int:
    """Measure, or be what is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--subject", choices=("bare", "hub"))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--data", type=Path)
    asked = parser.parse_args()
    if asked.subject == "bare":
        sys.stdout.write(json.dumps(asyncio.run(bare(asked.port, asked.seconds))))
        return 0
    if asked.subject == "hub":
        told = asyncio.run(hub(asked.data, asked.port, asked.seconds))
        sys.stdout.write(json.dumps(told))
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = json.dumps(profile(), ensure_ascii=False, indent=1)
        # JSON's keys are texts; a vector's registers are numbers.
        (folder / "bench-8.yaml").write_text(text.replace('"0": 209', "0: 209"))
        given = folder / "options.json"
        given.write_text(json.dumps(options(folder, 0)))
        simulator = subprocess.Popen(
            [
                *(sys.executable, "-m", "integrations.modbus.simulator"),
                *("--options", str(given), "--scenario-socket", str(folder / "s")),
            ],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        try:
            assert simulator.stdout is not None
            ready = json.loads(simulator.stdout.readline())
            port = int(ready["options"]["buses"][0]["tcp"].rpartition(":")[2])
            return 0 if compare(folder, port, asked.rounds, asked.seconds) else 1
        finally:
            simulator.terminate()
            simulator.wait(10)


if __name__ == "__main__":
    sys.exit(main())
