"""``safehold import``: bring people and cards of a spreadsheet into the site."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from core import texts
from core.api.errors import ConfigError
from core.clock import NS, Clock, RealClock
from core.people import acts
from core.people.vault import Vault, VaultError
from core.processes.guest import NotRunning
from core.registry.ids import Ids
from core.texts.sentences import add_option, say
from frontend_api.ledgers import mapping as mappings
from frontend_api.ledgers import plan as plans
from frontend_api.ledgers.apply import Change, NotDone, carry_out, changes, known
from frontend_api.ledgers.plan import Known, Plan
from frontend_api.ledgers.report import preview, write_rejects
from frontend_api.ledgers.sheet import LedgerError, Sheet, read
from frontend_api.ledgers.site import Site, attached

OK, REFUSED, WRONG = 0, 1, 2


def main(argv: list[str]) -> int:
    """Import; 0 all done, 1 rows or acts refused, 2 file or mapping is wrong."""
    options = _options(argv)
    try:
        if options.what == "erase":
            return asyncio.run(_erase(options))
        return asyncio.run(_people(options))
    except LedgerError as bad:
        said = texts.render(bad.reason, bad.params, options.language)
        sys.stderr.write(f"{options.file}: {said}\n")
        return WRONG
    except ConfigError as bad:
        sys.stderr.write(f"{say(bad, options.language)}\n")
        return WRONG
    except (NotRunning, NotDone, VaultError, TimeoutError, OSError) as bad:
        sys.stderr.write(f"safehold import: {bad}\n")
        return REFUSED if not isinstance(bad, FileNotFoundError) else WRONG


async def _people(options: argparse.Namespace) -> int:
    mapping = mappings.load(options.mapping)
    sheets = read(Path(options.file))
    clock = RealClock()
    if not options.data:
        plan = plans.make(mapping, sheets, Known(), _today(clock))
        return _tell(options, plan, changes(plan.entries, Known(), _ids(clock)))
    data: Path = options.folder
    async with attached(data, clock, options.by, options.language) as site:
        return await _with_site(options, site, mapping, sheets, Vault(data))


async def _with_site(
    options: argparse.Namespace,
    site: Site,
    mapping: mappings.Mapping,
    sheets: list[Sheet],
    vault: Vault,
) -> int:
    clock = site.replica.clock
    knows = known(site.replica.state, site.replica.bundle, vault)
    plan = plans.make(mapping, sheets, knows, _today(clock))
    found = changes(plan.entries, knows, _ids(clock))
    status = _tell(options, plan, found)
    if options.check:
        return status
    done = refused = 0
    for change in found:
        try:
            done += await carry_out(change, vault, site.act)
        except (NotDone, VaultError) as no:
            refused += 1
            rows = ",".join(map(str, change.rows))
            facts = {"rows": rows, "reason": str(no)}
            sys.stderr.write(
                texts.render("ledger.not_done", facts, options.language) + "\n"
            )
    sys.stdout.write(
        texts.render("ledger.done", {"done": done}, options.language) + "\n"
    )
    return REFUSED if refused else status


async def _erase(options: argparse.Namespace) -> int:
    """Ask the hub, which knows whether a permit still needs the person; then destroy.

    After a stop in between the gateway's pass ends it: the journal has the word.
    """
    data, person_id = options.folder, options.person
    async with attached(data, RealClock(), options.by, options.language) as site:
        if person_id not in site.replica.state.people.cards.erased:
            await site.act(acts.ErasePerson(person_id=person_id))
        Vault(data).erase(person_id)
    said = texts.render("event.person.erased", {"person": person_id}, options.language)
    sys.stdout.write(said + "\n")
    return OK


def _tell(options: argparse.Namespace, plan: Plan, found: list[Change]) -> int:
    sys.stdout.write(preview(plan, found, options.language))
    for reject in plan.rejects:
        said = texts.render(reject.code, reject.params, options.language)
        facts = {"row": reject.row, "column": reject.column, "reason": said}
        line = texts.render("ledger.refused", facts, options.language)
        sys.stderr.write(f"{options.file}: {line}\n")
    if options.rejects:
        write_rejects(Path(options.rejects), plan.rejects)
    return REFUSED if plan.rejects else OK


def _ids(clock: Clock) -> Callable[[], str]:
    """Return a maker of ids for people whom the site does not know yet."""
    ids = Ids(clock)
    return lambda: f"p-{ids.new().lower()}"


def _today(clock: Clock) -> date:
    return datetime.fromtimestamp(clock.wall_ns() / NS, UTC).date()


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="safehold import",
        description="Bring people and cards of a spreadsheet into the site.",
    )
    kinds = parser.add_subparsers(dest="what", required=True)
    people = kinds.add_parser("people", help="import a ledger (.xlsx, .csv)")
    people.add_argument("file", help="the ledger")
    shipped = ", ".join(sorted(p.stem for p in mappings.SHIPPED.glob("*.yaml")))
    people.add_argument(
        "--mapping", required=True, help=f"a mapping file, or one of: {shipped}"
    )
    people.add_argument("--data", default="", help="folder of the hub's data")
    people.add_argument(
        "--check", action="store_true", help="only tell what it would do"
    )
    people.add_argument(
        "--rejects", default="", help="write the reject list (CSV) here"
    )
    erase = kinds.add_parser("erase", help="destroy a person's data for good")
    erase.add_argument("person", help="the person's id")
    erase.add_argument("--data", required=True, help="folder of the hub's data")
    for each in (people, erase):
        each.add_argument("--by", default="", help="id of the person who imports")
        add_option(each)
    options = parser.parse_args(argv)
    if options.what == "people" and not options.data and not options.check:
        parser.error("--data names the hub's data folder (or give --check)")
    writes = options.what == "erase" or not options.check
    if writes and not options.by:
        parser.error("--by names the safety officer or maintainer who does this")
    options.folder = Path(options.data).resolve() if options.data else None
    return options
