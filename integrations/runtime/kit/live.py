"""Checks against the living device: declared, right, heard, switched, told."""

import asyncio
import json
from collections.abc import Iterable
from functools import partial
from typing import Any

from core.api.command import CommandState
from core.api.quality import Quality
from integrations.runtime.kit import paths
from integrations.runtime.kit.bench import Bench
from integrations.runtime.kit.result import Broken
from integrations.runtime.kit.side import said
from integrations.runtime.kit.witness import Watched, until

#: What a machine under load may add to a limit, besides its measured lateness.
SLACK_S = 0.3
ORDER_S = 10.0


def slack(bench: Bench) -> float:
    """Return what this machine's own lateness adds to a limit just now."""
    return SLACK_S + 2 * bench.lag.take()


async def starts(bench: Bench) -> str:
    """Start the simulator and the host with the options that it told."""
    await bench.simulate()
    await bench.join()
    return ""


async def declares(bench: Bench) -> str:
    """Wait for every device; nothing may be beyond the manifest."""
    wanted = set(bench.contract.devices)
    took = await until(
        lambda: wanted <= set(bench.side.devices) or bool(bench.side.refused),
        bench.contract.start_s,
        lambda: (
            f"not declared: {', '.join(sorted(wanted - set(bench.side.devices)))}"
            f"{_why(bench)}"
        ),
    )
    if bench.side.refused:
        raise Broken(f"beyond the manifest: {', '.join(bench.side.refused)}")
    for point in bench.contract.readings:
        bench.watched.append(Watched(bench.side, point))
    await until(
        lambda: all([w.entity_id or w.find() for w in bench.watched]),
        bench.contract.start_s,
        lambda: _unknown(bench.watched),
    )
    return f"{len(bench.side.devices)} devices in {took:.1f} s"


def _unknown(watched: Iterable[Watched]) -> str:
    return "no such entity: " + ", ".join(w.name for w in watched if not w.entity_id)


def _why(bench: Bench) -> str:
    """Return what the host said last, to be put behind a sentence."""
    for _, word in reversed(bench.side.links):
        return f"; the driver's last word: {word.detail}"
    if not bench.host.alive():
        return "; the host process has ended"
    return ""


async def readings(bench: Bench) -> str:
    """Set each value; it must arrive GOOD and right. Measures the latency."""
    worst = 0.0
    for watched in bench.watched:
        # The first may wait for what a device proves at its start.
        await bench.give(watched, *watched.first)
        await arrives([watched], bench.contract.start_s)
        for pair in (watched.second, watched.first):
            await bench.give(watched, *pair)
            worst = max(worst, await arrives([watched], bench.contract.start_s))
    bench.latency = worst
    return f"{len(bench.watched)} readings, slowest {worst:.2f} s"


async def arrives(watched: Iterable[Watched], limit_s: float) -> float:
    """Wait until readings are GOOD with their value; raises Broken."""
    wanted = list(watched)

    def otherwise() -> str:
        return "; ".join(
            f"{w.now()}, not {w.wanted} GOOD" for w in wanted if not w.good()
        )

    return await until(lambda: all(w.good() for w in wanted), limit_s, otherwise)


async def recovers(bench: Bench) -> float:
    """Wait until all is GOOD and right again."""
    return await arrives(bench.watched, bench.contract.recover_s + slack(bench))


async def events(bench: Bench) -> str:
    """Make each event; it must arrive on the safety lane with what is expected."""
    limit = bench.contract.recover_s
    for each in bench.contract.events:
        before = len(bench.side.events)
        await bench.simulator.must(
            device=each.device, event=each.kind, params=each.params
        )
        kind = each.arrives_as or each.kind

        def came(
            device: str = each.device,
            kind: str = kind,
            expect: dict[str, Any] = each.expect,
            before: int = before,
        ) -> bool:
            return any(
                body.kind == kind
                and bench.side.uid_of(body.device_id) == device
                and expect.items() <= dict(body.params).items()
                for body in bench.side.events[before:]
            )

        await until(came, limit, partial(_missed, bench, kind))
    return f"{len(bench.contract.events)} events"


def _missed(bench: Bench, kind: str) -> str:
    heard = [f"{e.kind} {dict(e.params)}"[:120] for e in bench.side.events[-3:]]
    return f"no event {kind}: heard {'; '.join(heard) or 'none'}"


async def outputs(bench: Bench) -> str:
    """Switch each output on and off: CONFIRMED, and its reading says so."""
    worst = 0.0
    for each in bench.contract.outputs:
        entity = bench.side.entity_id(each.device, each.entity)
        if not entity:
            raise Broken(f"no such output: {each.device}/{each.entity}")
        for value in (each.on, each.off):
            if value is None:
                continue
            record, took = await bench.side.order(entity, value, ORDER_S)
            name = f"{each.device}/{each.entity}={value}"
            if record.state is not CommandState.CONFIRMED:
                raise Broken(f"{name} ended {record.state} {record.detail}")
            worst = max(worst, took)
    bench.command_latency = worst
    return f"{len(bench.contract.outputs)} outputs, slowest {worst:.2f} s"


# --- the link -----------------------------------------------------------------


async def dropped(bench: Bench) -> str:
    """Cut the connection: GOOD again by itself."""
    await bench.act("drop")
    # What was GOOD before the cut is GOOD still: a fresh reading is asked for.
    took = await fresh(bench)
    return f"GOOD again after {took:.1f} s"


async def fresh(bench: Bench) -> float:
    """Wait for new readings, all GOOD and right."""
    before = {w.name: w.count for w in bench.watched}
    limit = bench.contract.recover_s + slack(bench)

    def otherwise() -> str:
        late = [w for w in bench.watched if w.count <= before[w.name] or not w.good()]
        return "; ".join(w.now() for w in late) + f" after {limit:.1f} s"

    return await until(
        lambda: all(w.count > before[w.name] and w.good() for w in bench.watched),
        limit,
        otherwise,
    )


async def stopped(bench: Bench) -> str:
    """End the service: not GOOD within three intervals; begin again: GOOD."""
    limit = 3 * bench.contract.interval_s
    bench.lag.take()
    await bench.act("stop")
    began = asyncio.get_running_loop().time()
    lost = _told_lost(bench, len(bench.side.links))
    try:
        took = await until(
            lambda: (
                all(not w.good() for w in bench.watched) if bench.watched else lost()
            ),
            limit + SLACK_S + 4 * bench.lag.worst,
            lambda: f"still GOOD after {limit:g} s: {_still(bench)}",
        )
        await until(
            lambda: lost() or bool(bench.watched and _all_lost(bench)),
            max(0.1, limit + SLACK_S - took) + 2 * bench.lag.worst,
            lambda: "the driver has not said that the device is gone (link_state)",
        )
        told = asyncio.get_running_loop().time() - began
    finally:
        await bench.act("start")
    again = await recovers(bench)
    return f"told after {told:.1f} s, GOOD again after {again:.1f} s"


def _told_lost(bench: Bench, before: int) -> Any:
    def told() -> bool:
        return any(not word.up for _, word in bench.side.links[before:])

    return told


def _all_lost(bench: Bench) -> bool:
    return all(bench.side.lost(w.point.device) for w in bench.watched)


def _still(bench: Bench) -> str:
    return "; ".join(w.now() for w in bench.watched if w.good())


async def flaps(bench: Bench) -> str:
    """Cut the connection five times, and the service too: GOOD again, no crash."""
    pause = min(0.5, bench.contract.interval_s)
    for number in range(5):
        await bench.act("drop" if number % 2 == 0 else "stop")
        await asyncio.sleep(pause)
        if number % 2:
            await bench.act("start")
    took = await fresh(bench)
    await sound(bench)
    return f"GOOD again after {took:.1f} s"


async def sound(bench: Bench) -> None:
    """Raise Broken when the host has ended or the driver made errors of its own."""
    if not bench.host.alive():
        raise Broken("the host process has ended")
    errors = (await bench.counters()).get("driver_error", 0)
    if errors:
        raise Broken(f"{errors} unforeseen errors of the driver; see its log")


# --- credentials, diagnostics, identity ---------------------------------------


async def diagnostics(bench: Bench) -> str:
    """Ask for diagnostics: they come, and neither they nor the log tell a secret."""
    facts = await bench.facts()
    if "integration" not in facts or not facts["integration"]:
        raise Broken("the driver tells nothing: write diagnostics()")
    text = json.dumps(facts, ensure_ascii=False)
    log = bench.host.log.read_text("utf-8", "replace")
    for name, secret in bench.secrets.items():
        if len(secret) < 4:
            continue
        if secret in log:
            raise Broken(f"the log tells the secret {name}")
        if secret in text:
            raise Broken(f"the diagnostics tell the secret {name}")
    return f"{len(text)} bytes"


async def credentials(bench: Bench) -> str:
    """Give wrong ones: the driver says so by a code, and no reading is GOOD."""
    wanted = bench.contract.credentials
    if not (wanted.secrets or wanted.options or bench.secrets):
        raise Broken("there are no secrets: say credentials: {not_applicable: why}")
    await bench.leave()
    before, since = len(bench.side.links), [w.count for w in bench.watched]
    wrong = wanted.secrets or {k: _other(v) for k, v in bench.secrets.items()}
    await bench.join(
        paths.laid_over(bench.options, wanted.options), {**bench.secrets, **wrong}
    )
    took = await until(
        lambda: bool(_refusing(bench, before)),
        bench.contract.start_s,
        lambda: (
            f"no link_state with {wanted.code!r} in its code{_words(bench, before)}"
        ),
    )
    refusing = set(wanted.devices) or _refusing(bench, before)
    for watched, count in zip(bench.watched, since, strict=True):
        if not refusing & {watched.point.device, ""}:
            continue  # another device of the same integration may ask for none
        reading = bench.side.reading(watched.entity_id)
        if watched.count > count and reading.quality is Quality.GOOD:
            raise Broken(f"{watched.name} is {said(reading)} all the same")
    return f"told after {took:.1f} s"


def _refusing(bench: Bench, before: int) -> set[str]:
    """Return the devices that refuse our credentials; '' is all of them."""
    code = bench.contract.credentials.code
    words = [word for _, word in bench.side.links[before:]]
    return {word.device_uid for word in words if not word.up and code in word.detail}


def _words(bench: Bench, before: int) -> str:
    heard = [word.detail for _, word in bench.side.links[before:] if not word.up]
    return f"; heard {', '.join(heard[-3:])}" if heard else "; heard none"


def _other(secret: str) -> str:
    """Return another secret of the same kind and length."""
    table = str.maketrans(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        "bcdefghijklmnopqrstuvwxyzaBCDEFGHIJKLMNOPQRSTUVWXYZA1234567890",
    )
    return secret.translate(table)


async def moved(bench: Bench) -> str:
    """Begin simulator and host anew at another address: the same ids as before."""
    before = bench.side.ids()
    await bench.leave()
    await bench.move()
    await bench.join()
    for watched in bench.watched:
        await bench.give(watched, *watched.first)
    took = await fresh(bench)
    after = bench.side.ids()
    changed = sorted(set(after) - set(before))
    if changed:
        raise Broken(f"new identities: {', '.join(map('/'.join, changed[:4]))}")
    return f"{len(after)} entities kept, GOOD after {took:.1f} s"
