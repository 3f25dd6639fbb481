"""Background readings from a process of its own: open loop, below the limit.

    python -m benchmarks.harness.load PORT RATE SECONDS DETECTORS

Each reading differs from its detector's last. Prints {"sent", "rate"}: the rate is
what the broker has really taken, as its answer to a ping behind all of it proves.
"""

import json
import random
import sys
import time

from benchmarks.harness import wire, work

SLICE_S = 0.002
#: Different packets made beforehand; the stream goes round in them.
STOCK = 20_000


def stock(detectors: int) -> list[bytes]:
    """Return packets, detector after detector."""
    dice = random.Random(1)
    turns = max(2, STOCK // detectors)
    return [
        wire.publish(work.reading_topic(number), work.quiet(dice))
        for _ in range(turns)
        for number in range(detectors)
    ]


def main(port: int, rate: float, seconds: float, detectors: int) -> None:
    """Publish until the time is up."""
    made = stock(detectors)
    made += made  # a slice never wraps
    half = len(made) // 2
    sock = wire.dial(port, f"load-{time.time_ns()}")
    sock.settimeout(None)
    sent, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        due = min(int(passed * rate), sent + half)
        if due > sent:
            first = sent % half
            sock.sendall(b"".join(made[first : first + due - sent]))
            sent = due
        time.sleep(SLICE_S)
    sock.sendall(wire.PING)
    sock.recv(2)
    took = time.perf_counter() - began
    print(json.dumps({"sent": sent, "rate": sent / took}))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
