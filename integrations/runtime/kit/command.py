"""``safehold conformance``: prove integrations against their own simulators."""

import argparse
import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from core.api.errors import ConfigError
from core.api.packages import Package, packages
from core.texts.sentences import reader, say
from integrations.runtime.kit import run, table
from integrations.runtime.kit.result import Report, Result
from integrations.runtime.kit.schema import load

#: A run that has not ended by then never will.
_RUN_S = 600.0
_LINE = 4 << 20


def main(argv: Sequence[str]) -> int:
    """Prove one integration or all; exit status 1 when one does not hold."""
    asked = _parser().parse_args(argv)
    if bool(asked.name) == asked.all:
        sys.stderr.write("safehold conformance: give a NAME, or --all\n")
        return 2
    logging.basicConfig(level=logging.ERROR)
    try:
        found = packages(asked.site)
        if asked.all:
            wanted = {name: each for name, each in found.items() if each.ours}
            return asyncio.run(_all(wanted, asked))
        if asked.name not in found:
            known = ", ".join(sorted(found))
            sys.stderr.write(
                f"there is no integration {asked.name!r}; known: {known}\n"
            )
            return 2
        report = asyncio.run(_one(found[asked.name], asked))
    except ConfigError as error:
        sys.stderr.write(f"{say(error, reader())}\n")
        return 2
    if asked.json:
        _say(_json(report))
    elif not asked.only:
        _say("", table.summary(report))
    if asked.only:
        return int(any(each.outcome == "failed" for each in report.results))
    return 0 if report.holds else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="safehold conformance",
        description="Prove integrations against their own simulators.",
    )
    parser.add_argument("name", nargs="?", help="id of the integration")
    parser.add_argument("--all", action="store_true", help="every bundled one")
    parser.add_argument("--json", action="store_true", help="for a machine")
    parser.add_argument("--site", type=Path, help="folder of the site's configuration")
    parser.add_argument(
        "--only", action="append", default=[], metavar="CHECK", help="this check alone"
    )
    parser.add_argument(
        "--jobs", type=int, default=0, help="so many at a time (twice the processors)"
    )
    return parser


async def _one(package: Package, asked: argparse.Namespace) -> Report:
    def tell(result: Result) -> None:
        if not asked.json:
            _say(table.line(result))

    if not asked.json:
        names = package.manifest.names
        _say(f"{package.manifest.id}: {names.en} · {names.zh}", "")
    return await run.run(package, tell, site=asked.site, only=tuple(asked.only))


# --- all ----------------------------------------------------------------------


async def _all(wanted: dict[str, Package], asked: argparse.Namespace) -> int:
    """Prove each in a process of its own, some at a time; the slowest begin.

    What fails beside the others is tried again alone: a machine that is busy with
    eleven of them is no site.
    """
    jobs = asked.jobs or 2 * (os.cpu_count() or 1)
    turn = asyncio.Semaphore(max(1, jobs))
    reports: dict[str, Report] = {}

    async def one(package: Package) -> None:
        async with turn:
            report = await _process(package)
        reports[package.manifest.id] = report
        if not asked.json:
            _say(f"[{len(reports)}/{len(wanted)}] {table.summary(report)}")
            lacks = table.lacks(report)
            tried = [each for each in lacks if not each.why.startswith(run.NOT_TRIED)]
            _say(*map(table.line, tried))

    async with asyncio.TaskGroup() as group:
        for package in sorted(wanted.values(), key=_interval, reverse=True):
            group.create_task(one(package))
    for name, report in sorted(reports.items()):
        if not report.holds and jobs > 1:
            await one(wanted[name])
    found = [reports[name] for name in sorted(reports)]
    if asked.json:
        _say(msgspec.json.encode([_plain(each) for each in found]).decode())
    else:
        _say("", table.table(found))
    return 0 if all(each.holds for each in found) else 1


def _interval(package: Package) -> float:
    """Return how slow a device is: its faults take as many of its intervals."""
    try:
        return load(package.folder).interval_s
    except ConfigError:
        return 0.0


async def _process(package: Package) -> Report:
    """Run the kit on one integration apart; whatever happens is a report."""
    name = package.manifest.id
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "core.cli", "conformance", name, "--json"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_LINE,
    )
    why = f"not done within {_RUN_S:g} s"
    try:
        async with asyncio.timeout(_RUN_S):
            out, said = await process.communicate()
        report = msgspec.json.decode(out, type=Report)
    except (TimeoutError, msgspec.MsgspecError) as error:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if isinstance(error, msgspec.MsgspecError):
            why = said.decode(errors="replace").strip()[-300:] or str(error)
        failed = Result(check="the run", grade="bronze", outcome="failed", why=why)
        manifest = package.manifest
        report = Report(
            name=name,
            stated_grade=manifest.grade,
            stated_step=manifest.safety_scale,
            results=(failed,),
        )
    return report


def _plain(report: Report) -> dict[str, object]:
    plain: dict[str, object] = msgspec.to_builtins(report)
    reached = {"grade": report.grade, "step": report.step, "holds": report.holds}
    return {**plain, **reached}


def _json(report: Report) -> str:
    return msgspec.json.encode(_plain(report)).decode()


def _say(*lines: str) -> None:
    for each in lines:
        sys.stdout.write(f"{each}\n")
    sys.stdout.flush()
