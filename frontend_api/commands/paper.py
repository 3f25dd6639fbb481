"""``safehold paper``: print permits and blank forms, verify their seals."""

import argparse
import getpass
import sys
from datetime import UTC, datetime
from pathlib import Path

from core import texts
from core.clock import RealClock
from core.journal.reader import Event as Stored
from core.journal.reader import events as stored_events
from core.journal.segment import RealDisk
from core.permits.state import PermitRecord
from core.texts.tool import Tool
from frontend_api.commands.story import Story
from frontend_api.commissioning import Commissioning
from frontend_api.paper import fonts, form, seal
from frontend_api.paper.blanks import Batch, BlankError, Blanks, number
from frontend_api.paper.permit import Facts, Place, print_pages
from frontend_api.paper.seal import Sealer
from frontend_api.paper.told import facts_of
from frontend_api.paper.zone import zone_pages

OK, FAILED = 0, 1


class NotFound(Exception):
    """There is no such permit or form; says what there is."""


def main(argv: list[str]) -> int:
    """Run one of its tools; exit status 0, 1 refused or not verified, 2 usage."""
    tool = Tool(
        "paper",
        "Permits and blank forms on paper.",
        language="zh",
        wrong=(NotFound, BlankError, fonts.FontMissing),
    )
    made = tool.add("permit", _permit, "print one permit on one A4 page")
    made.add_argument("--data", type=Path, required=True, help="the hub's folder")
    made.add_argument("--permit", required=True, help="its id, or the end of it")
    made.add_argument("--out", type=Path, required=True, help="PDF to write")
    made.add_argument("--form", default="", help="form of a pack: hot, confined, …")
    made = tool.add("blanks", _blanks, "print numbered blank forms for outages")
    made.add_argument("--data", type=Path, required=True, help="the hub's folder")
    made.add_argument("--count", type=int, default=0, help="how many new ones")
    made.add_argument("--out", type=Path, required=True, help="PDF to write")
    made.add_argument("--form", default="", help="form of a pack: hot, confined, …")
    made.add_argument("--reprint", default="", metavar="FIRST-LAST")
    made.add_argument("--why", default="", help="why they are printed again")
    made = tool.add("void", _void, "note blank forms that were spoilt or thrown away")
    made.add_argument("--data", type=Path, required=True, help="the hub's folder")
    made.add_argument("numbers", metavar="FIRST-LAST")
    made.add_argument("--why", default="", help="what became of them")
    made = tool.add("zone", _zone, "print a zone's sheet of causes and effects")
    made.add_argument("--data", type=Path, required=True, help="the hub's folder")
    made.add_argument("--zone", required=True, help="its id")
    made.add_argument("--out", type=Path, required=True, help="PDF to write")
    made = tool.add("verify", _verify, "check the line in a sheet's QR code")
    made.add_argument("text", help="the line as a scanner reads it")
    made.add_argument("--key", default="", help="the site's public key, 64 hex digits")
    made.add_argument("--data", type=Path, help="hold it against this hub's journal")
    return tool.run(argv)


# --- permit -------------------------------------------------------------------


def _permit(options: argparse.Namespace) -> int:
    faces = fonts.find()
    data = options.data.resolve()
    story = _told(data)
    permit = _find(story, options.permit)
    facts = facts_of(
        (story.replica, story.papers),
        permit,
        _place(data),
        options.language,
        options.form,
    )
    pdf, lines = print_pages(faces, [facts], Sealer.of(data), options.language)
    options.out.write_bytes(pdf)
    sys.stdout.write(f"{options.out}: permit {permit.id}\n{lines[0]}\n")
    return OK


def _told(data: Path) -> Story:
    story = Story(data)
    for _ in story.tell():
        pass
    return story


def _find(story: Story, asked: str) -> PermitRecord:
    known = story.replica.state.permits.permits
    found = [permit for name, permit in known.items() if name.endswith(asked)]
    if asked in known:
        return known[asked]
    if len(found) != 1:
        what = "several permits end" if found else "no permit ends"
        listed = ", ".join(list(known)[-5:]) or "none"
        raise NotFound(f"{what} with {asked!r}; the last ones are: {listed}")
    return found[0]


def _place(data: Path) -> Place:
    """Return where the journal ends now."""
    disk = RealDisk(data / "journal")
    try:
        last = None
        for last in stored_events(disk):  # noqa: B007
            pass
        if not isinstance(last, Stored):
            raise NotFound(f"{data}: the journal holds no event yet")
        return Place(last.seq, last.mark.chain)
    finally:
        disk.close()


# --- zones --------------------------------------------------------------------


def _zone(options: argparse.Namespace) -> int:
    faces = fonts.find()
    story = _told(options.data.resolve())
    zones = [zone.id for zone in story.replica.bundle.site.zones]
    if options.zone not in zones:
        raise NotFound(f"no zone {options.zone!r}; known: {', '.join(zones) or 'none'}")
    shown = Commissioning(story.replica).shown(options.zone)
    now = datetime.fromtimestamp(RealClock().wall_ns() / 1e9, UTC)
    options.out.write_bytes(zone_pages(faces, shown, options.language, now))
    sys.stdout.write(f"{options.out}: {shown.state}, {shown.done}/{shown.total}\n")
    return OK


# --- blanks -------------------------------------------------------------------


def _blanks(options: argparse.Namespace) -> int:
    faces = fonts.find()
    data = options.data.resolve()
    bundle = _told(data).replica.bundle
    title = texts.render("paper.general", {}, options.language)
    own = [each.id for pack in bundle.packs for each in pack.forms]
    name, known = options.form, sorted({*own, *form.names()})
    if name and name not in known:
        raise NotFound(f"no pack has a form {name!r}; known: {', '.join(known)}")
    wall_ns, by = RealClock().wall_ns(), getpass.getuser()
    batch = _batch(options, Blanks(data), by, wall_ns)
    chosen = form.load(batch.form, title, options.language)
    if (sites := form.of_site(bundle, batch.form)) is not None:
        chosen = form.of_pack(sites, options.language)
    place, note = _place(data), ""
    if batch.reprint:
        why = {"why": batch.reprint}
        note = texts.render("paper.reprint", why, options.language)
    pages = [
        Facts(
            bundle=bundle,
            form=chosen,
            permit=None,
            holds=(),
            number=number(bundle.site.id, value),
            place=place,
            printed_ns=wall_ns,
            note=note,
        )
        for value in range(batch.first, batch.last + 1)
    ]
    pdf, _ = print_pages(faces, pages, Sealer.of(data), options.language)
    options.out.write_bytes(pdf)
    sys.stdout.write(f"{options.out}: {pages[0].number} to {pages[-1].number}\n")
    return OK


def _void(options: argparse.Namespace) -> int:
    first, last = _range(options.numbers)
    wall_ns, by = RealClock().wall_ns(), getpass.getuser()
    Blanks(options.data.resolve()).void(first, last, options.why, by, wall_ns)
    return OK


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not first.isdecimal() or not (last or first).isdecimal():
        raise BlankError(f"{text!r}: give numbers such as 12 or 12-14")
    return int(first), int(last or first)


def _batch(options: argparse.Namespace, log: Blanks, by: str, wall_ns: int) -> Batch:
    if not options.reprint:
        return log.take(options.count, options.form, by, wall_ns)
    first, last = _range(options.reprint)
    return log.again(first, last, options.why, by, wall_ns)


# --- verify -------------------------------------------------------------------


def _verify(options: argparse.Namespace) -> int:
    say = options.language
    try:
        found, key = seal.read(options.text)
    except seal.SealError as bad:
        sys.stdout.write(texts.render("paper.seal_bad", {"why": str(bad)}, say) + "\n")
        return FAILED
    facts = {
        "kind": texts.render(f"paper.sheet.{found.kind}", {}, say),
        "id": found.id,
        "version": found.version,
        "until": _utc(found.until_s) if found.until_s else "—",
        "printed": _utc(found.printed_s),
        "seq": found.seq,
        "head": found.head.hex(),
        "key": seal.fingerprint(key),
    }
    sys.stdout.write(texts.render("paper.seal_facts", facts, say) + "\n")
    known = _known_key(options, key)
    code = "paper.seal_unknown" if known is None else "paper.seal_good"
    if known is False:
        code = "paper.seal_other"
    sys.stdout.write(texts.render(code, facts, say) + "\n")
    if known and options.data is not None:
        return _stands(options.data.resolve(), found, say)
    return OK if known else FAILED


def _known_key(options: argparse.Namespace, key: bytes) -> bool | None:
    """Say whether the key is the one noted elsewhere; None: nobody named one."""
    if options.key:
        return bool(key.hex() == options.key.strip().lower())
    if options.data is not None:
        return Sealer.of(options.data.resolve()).public == key
    return None


def _stands(data: Path, found: seal.Seal, language: str) -> int:
    """Hold the sheet's journal head against the journal."""
    disk = RealDisk(data / "journal")
    try:
        for event in stored_events(disk, found.seq - 1):
            same = isinstance(event, Stored) and event.mark.chain == found.head
            code = "paper.head_stands" if same else "paper.head_gone"
            sys.stdout.write(texts.render(code, {"seq": found.seq}, language) + "\n")
            return OK if same else FAILED
    finally:
        disk.close()
    sys.stdout.write(
        texts.render("paper.head_gone", {"seq": found.seq}, language) + "\n"
    )
    return FAILED


def _utc(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
