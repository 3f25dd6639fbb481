"""The whole run of one integration: every check in its order."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from core.api.errors import SafeholdError
from core.api.packages import Package
from integrations.runtime.kit import faults, live, schema, static, traces
from integrations.runtime.kit.bench import Bench, importable
from integrations.runtime.kit.faults import Skipped
from integrations.runtime.kit.result import Broken, Outcome, Report, Result
from integrations.runtime.kit.schema import Conformance, Excused

Work = Callable[[Bench], Awaitable[str]]
Tell = Callable[[Result], None]
#: A check that has not ended by then never will.
CHECK_S = 120.0
NOT_TRIED = "not tried"


class Check(NamedTuple):
    """Name a check, what needs it, and its work."""

    name: str
    grade: str
    work: Work
    step: str = ""
    excuse: str = ""
    """Why it does not apply; '' it does."""
    vital: bool = False
    """Nothing after it can be tried without it."""


def checks(contract: Conformance) -> list[Check]:
    """Return every check of a run, in order."""
    has = contract.readings
    return [
        Check("simulator and form", "bronze", live.starts, vital=True),
        Check("form refuses nonsense", "bronze", static.accepts),
        Check("devices declared", "bronze", live.declares, vital=True),
        Check("heartbeat and ages", "", static.ages, "S1"),
        Check(
            *("readings right", "bronze", live.readings),
            excuse="" if has else "it has events or outputs only",
            vital=True,
        ),
        Check(
            *("events arrive", "bronze", live.events),
            excuse="" if contract.events else "conformance.yaml names no events",
        ),
        Check(
            *("outputs read back", "bronze", live.outputs, "S4"),
            excuse="" if contract.outputs else "it has no outputs",
        ),
        Check("latency", "", static.latency, "S3"),
        *_link(contract),
        Check("diagnostics", "silver", live.diagnostics),
        *_faults(contract),
        *_told(contract),
        *_platinum(contract),
        Check(
            *("wrong credentials", "silver", live.credentials),
            excuse=contract.credentials.not_applicable or "",
        ),
    ]


def _why(excused: Excused | None) -> str:
    return excused.not_applicable if excused is not None else ""


def _link(contract: Conformance) -> list[Check]:
    why = _why(contract.link)
    return [
        Check("connection dropped", "silver", live.dropped, excuse=why),
        Check("service stopped, begun again", "silver", live.stopped, excuse=why),
        Check("five flaps", "gold", live.flaps, "S2", _why(contract.flap) or why),
    ]


def _faults(contract: Conformance) -> list[Check]:
    def one(name: str) -> Check:
        async def work(bench: Bench) -> str:
            return await faults.fault(bench, name)

        grade = "platinum" if name == "rate" else "gold"
        said = contract.faults.get(name)
        why = (said.not_applicable or "") if said is not None else ""
        return Check(name, grade, work, "" if name == "rate" else "S2", why)

    found = [one(name) for name in schema.FAULTS if name != "rate"]
    return [*found, Check("bad input counted", "gold", faults.counts), one("rate")]


def _told(contract: Conformance) -> list[Check]:
    return [
        Check("names in two languages", "gold", static.names),
        Check(
            *("found by itself", "gold", static.found),
            excuse=contract.discovery.not_applicable or "",
        ),
        Check("guide", "gold", static.guide),
        Check("proof test in the guide", "", static.proof_test, "S5"),
    ]


def _platinum(contract: Conformance) -> list[Check]:
    parsers = contract.parsers
    why = _why(parsers) if isinstance(parsers, Excused) else ""
    return [
        Check("recorded traces", "platinum", traces.replays, excuse=why),
        Check("parsers fuzzed", "platinum", traces.fuzzed, excuse=why),
        Check(
            *("moved, same identity", "platinum", live.moved),
            excuse=_why(contract.identity),
        ),
    ]


async def run(
    package: Package,
    tell: Tell,
    *,
    site: Path | None = None,
    only: tuple[str, ...] = (),
) -> Report:
    """Prove one integration; ``tell`` hears each result as it comes."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    results: list[Result] = []

    def told(result: Result) -> None:
        results.append(result)
        tell(result)

    with (
        importable(site),
        # A directory's name must be short enough for a Unix socket.
        tempfile.TemporaryDirectory(prefix="kit-", ignore_cleanup_errors=True) as made,
    ):
        try:
            contract = schema.load(package.folder)
        except SafeholdError as error:
            told(_bad("conformance.yaml", str(error)))
        else:
            async with Bench(package, contract, Path(made), site) as bench:
                await _all(bench, checks(contract), told, only)
    return Report(
        name=package.manifest.id,
        stated_grade=package.manifest.grade,
        stated_step=package.manifest.safety_scale,
        results=tuple(results),
        seconds=round(loop.time() - began, 1),
    )


def _bad(check: str, why: str) -> Result:
    return Result(check=check, grade="bronze", outcome="failed", why=why)


async def _all(
    bench: Bench, found: list[Check], told: Tell, only: tuple[str, ...]
) -> None:
    broken = ""
    for check in found:
        if only and not check.vital and check.name not in only:
            continue
        if broken and not check.excuse:
            told(_result(check, "failed", f"{NOT_TRIED}: {broken} failed"))
            continue
        result = await _one(bench, check)
        told(result)
        if result.outcome == "failed" and check.vital:
            broken = check.name


async def _one(bench: Bench, check: Check) -> Result:
    """Do one check; whatever it raises is its failure."""
    if check.excuse:
        return _result(check, "not_applicable", check.excuse)
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout(CHECK_S):
            why = await check.work(bench)
        outcome: Outcome = "ok"
    except Skipped as skipped:
        outcome, why = "not_applicable", str(skipped)
    except Broken as broken:
        outcome, why = "failed", str(broken)
    except TimeoutError:
        outcome, why = "failed", f"not done within {CHECK_S:g} s"
    except Exception as error:  # noqa: BLE001 - the border to plugins: its form, its
        # parsers and its prefill run here, and one check's error ends no other check.
        outcome, why = "failed", f"{type(error).__name__}: {error}"
    return _result(check, outcome, why, round(loop.time() - began, 2))


def _result(check: Check, outcome: Outcome, why: str, seconds: float = 0.0) -> Result:
    return Result(
        check=check.name,
        grade=check.grade,
        step=check.step,
        outcome=outcome,
        why=why,
        seconds=seconds,
    )
