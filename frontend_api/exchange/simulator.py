"""A park's platform for tests and demonstrations, with faults on demand.

    python -m frontend_api.exchange.simulator --port 8790 --store park.jsonl \\
        --faults '{"timeout": 0.1, "error": 0.1, "lost_answer": 0.1}'

Faults, each a probability: ``timeout`` (never answers), ``error`` (500),
``lost_answer`` (takes the record, answers 500: the sender must repeat it),
``page`` (200 with a login page), ``slow`` (answers after ``--slow`` seconds).
``--reject FIELD=VALUE`` refuses records that hold it. ``GET /state`` tells what
arrived, ``POST /faults`` changes the faults.
"""

import argparse
import asyncio
import json
import random
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

from frontend_api.exchange.rules import check, is_alarm

FAULTS = ("timeout", "error", "lost_answer", "page", "slow")
_HANG_S = 3600.0
STATE: web.AppKey["Park"] = web.AppKey("state")


class Park:
    """Keep the newest of each record, and count what came twice or too late."""

    def __init__(self, store: Path | None, seed: int, slow_s: float) -> None:
        self.records: dict[str, dict[str, Any]] = {}
        self.counts = dict.fromkeys(("accepted", "duplicate", "stale", "rejected"), 0)
        self.faults: dict[str, float] = {}
        self.reject: dict[str, str] = {}
        self._seen: set[tuple[str, str]] = set()
        self._random = random.Random(seed)  # noqa: S311
        self._slow_s = slow_s
        self._store = store
        if store is not None and store.exists():
            for line in store.read_text("utf-8").splitlines():
                self._keep(json.loads(line))

    async def take(self, request: web.Request) -> web.Response:
        """Answer one record as a platform would, or as a broken one."""
        record = await request.json()
        fault = self._fault()
        if fault == "timeout":
            await asyncio.sleep(_HANG_S)
        if fault == "error":
            return web.json_response({"message": "internal error"}, status=500)
        if fault == "page":
            return web.Response(text="<html>login</html>", content_type="text/html")
        answer = self._judge(record)
        if fault == "slow":
            await asyncio.sleep(self._slow_s)
        if fault == "lost_answer":
            return web.json_response({"message": "gateway lost it"}, status=500)
        return answer

    def _fault(self) -> str:
        drawn = self._random.random()
        for name in FAULTS:
            drawn -= self.faults.get(name, 0.0)
            if drawn < 0:
                return name
        return ""

    def _judge(self, record: dict[str, Any]) -> web.Response:
        for field, value in self.reject.items():
            if str(record.get(field)) == value:
                return self._refuse(field, "refused by the park")
        for complaint in check(record):
            return self._refuse(complaint.field, complaint.code)
        key = record["ID"], record["UPDATEDATE"]
        if key in self._seen:
            self.counts["duplicate"] += 1
            return web.json_response({"ID": key[0], "result": "duplicate"}, status=409)
        known = self.records.get(key[0])
        newer = known is None or known["UPDATEDATE"] < key[1]
        result = "accepted" if newer else "stale"
        if self._store is not None:
            with self._store.open("a", encoding="utf-8") as out:
                out.write(json.dumps(record, ensure_ascii=False) + "\n")
        self.counts[result] += 1
        self._keep(record)
        return web.json_response({"ID": key[0], "result": result})

    def _keep(self, record: dict[str, Any]) -> None:
        known = self.records.get(record["ID"])
        self._seen.add((record["ID"], record["UPDATEDATE"]))
        if known is None or known["UPDATEDATE"] < record["UPDATEDATE"]:
            self.records[record["ID"]] = record

    def _refuse(self, field: str, message: str) -> web.Response:
        self.counts["rejected"] += 1
        return web.json_response({"field": field, "message": message}, status=422)

    async def state(self, _request: web.Request) -> web.Response:
        """Tell what arrived."""
        kinds = {True: "alarms", False: "tickets"}
        told: dict[str, Any] = {"counts": self.counts, "tickets": [], "alarms": []}
        for record in self.records.values():
            told[kinds[is_alarm(record)]].append(record)
        return web.json_response(told)

    async def change(self, request: web.Request) -> web.Response:
        """Take other faults: {timeout: 0.5, …, reject: {FIELD: VALUE}}."""
        asked = await request.json()
        self.reject = {str(k): str(v) for k, v in asked.pop("reject", {}).items()}
        self.faults = {name: float(asked.get(name, 0.0)) for name in FAULTS}
        return web.json_response(self.faults)


def make(park: Park) -> web.Application:
    """Return the platform's application."""
    app = web.Application()
    app[STATE] = park
    app.router.add_post("/tickets", park.take)
    app.router.add_post("/alarms", park.take)
    app.router.add_get("/state", park.state)
    app.router.add_post("/faults", park.change)
    return app


async def serve(park: Park, port: int) -> None:
    """Serve on loopback until cancelled; tells the port on standard output."""
    runner = web.AppRunner(make(park), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        sys.stdout.write(f"listening on {runner.addresses[0][1]}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def main(argv: list[str] | None = None) -> int:
    """Run the simulated platform until it is ended."""
    parser = argparse.ArgumentParser(prog="python -m frontend_api.exchange.simulator")
    parser.add_argument("--port", type=int, default=8790, help="0 takes a free one")
    parser.add_argument("--store", type=Path, help="file that outlives a restart")
    parser.add_argument("--faults", type=json.loads, default={}, help="JSON object")
    parser.add_argument("--reject", action="append", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--slow", type=float, default=3.0, help="seconds")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    park = Park(options.store, options.seed, options.slow)
    park.faults = {name: float(options.faults.get(name, 0.0)) for name in FAULTS}
    park.reject = dict(item.partition("=")[::2] for item in options.reject)
    try:
        asyncio.run(serve(park, options.port))
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
