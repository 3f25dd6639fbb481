"""Export a period as a folder that proves itself: PDF, CSV, and the journal's slice.

What the tables and the summary tell comes from the slice beside them, so that an
inspector can derive it anew; the manifest, signed with the site's key, ties them.
"""

import csv
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core import texts
from core.alarms.events import (
    AlarmAcknowledged,
    AlarmClosed,
    AlarmRaised,
    AlarmReturned,
)
from core.clock import NS, RealClock
from core.config import Bundle
from core.journal.checkpoint import KEY_NAME
from core.journal.export import Slice, export, slice_of
from core.journal.period import Manifest, seal
from core.journal.segment import RealDisk
from core.journal.verify import SLICE
from core.permits.attachments_events import AllErased, AttachmentErased
from core.permits.events import PermitHeld
from frontend_api.commands.story import Story
from frontend_api.names import Names
from frontend_api.paper import fonts
from frontend_api.paper.blanks import Blanks, number
from frontend_api.paper.filled import approver_of
from frontend_api.paper.permit import Facts, Place, print_pages
from frontend_api.paper.seal import Sealer, fingerprint
from frontend_api.paper.sheet import Cell, Sheet, label
from frontend_api.paper.told import facts_of
from frontend_api.replica import Kept
from frontend_api.sentences import sentence

_EVENTS = ("seq", "time_utc", "clock_trusted", "type", "about", "actor", "zh", "en")
_ALARMS = ("id", "kind", "source", "zone", "priority", "mark")
_ALARM_TIMES = ("raised", "acknowledged", "returned", "closed")
_PERMITS = (
    *("id", "kind", "zone", "content", "issuer", "leader", "guardian", "workers"),
    *("issued", "valid_until", "status", "outcome", "holds", "late", "blank"),
)
_BLANKS = (
    *("number", "form", "printed", "by", "reprints", "standing", "permit", "void"),
)
#: What a table program would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TIMES = {
    AlarmAcknowledged: "acknowledged",
    AlarmReturned: "returned",
    AlarmClosed: "closed",
}


class Period(NamedTuple):
    """Hold what a folder tells."""

    slice: Slice
    bundle: Bundle
    events: list[dict[str, Any]]
    alarms: list[dict[str, Any]]
    permits: list[dict[str, Any]]
    papers: list[Facts]
    """Each permit of the period as its sheet shows it."""
    blanks: list[dict[str, Any]]
    """Each numbered blank form that was handed out until the period's end."""


def write(
    data: Path, folder: Path, since: datetime, until: datetime, language: str
) -> Period:
    """Write the folder of a period, which must be empty or new.

    Raises ExportError (no event, or not signed yet), FontMissing, OSError.
    """
    faces = fonts.find()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty: name a new folder")
    disk = RealDisk(data / "journal")
    try:
        first, last = slice_of(disk, _ns(since), _ns(until))
        done = export(disk, folder / SLICE, first, last)
    finally:
        disk.close()
    period = collect(data, done, language, _ns(until))
    _tables(folder, period)
    key = Ed25519PrivateKey.from_private_bytes((data / "keys" / KEY_NAME).read_bytes())
    manifest = Manifest(
        site=period.bundle.site.id,
        since=since.isoformat(),
        until=until.isoformat(),
        first=done.first,
        last=done.last,
        key=key.public_key().public_bytes_raw().hex(),
        files={},
    )
    if period.papers:
        pages, _ = print_pages(faces, period.papers, Sealer.of(data), language)
        (folder / "permits.pdf").write_bytes(pages)
    summary = _Summary(period, manifest, language)
    (folder / "summary.pdf").write_bytes(summary.draw(faces))
    _readme(folder, manifest)
    seal(folder, manifest, key)
    return period


def collect(
    data: Path, done: Slice, language: str = "zh", until_ns: int | None = None
) -> Period:
    """Fold the journal up to the slice's end and return its rows."""
    story = Story(data)
    names = Names(story.replica)
    events: list[dict[str, Any]] = []
    alarms: dict[str, dict[str, Any]] = {}
    touched: set[str] = set()
    permits: Counter[str] = Counter()
    for kept in story.tell():
        if kept.envelope.seq > done.last:
            break
        inside = kept.envelope.seq >= done.first
        alarm_id = _alarm(alarms, names, kept)
        if not inside:
            if isinstance(kept.body, AlarmClosed):
                alarms.pop(alarm_id, None)
            continue
        if alarm_id:
            touched.add(alarm_id)
        permit_id = str(getattr(kept.body, "permit_id", ""))
        # What is erased in a period was not at work in it.
        if permit_id and not isinstance(kept.body, AttachmentErased | AllErased):
            permits[permit_id] += isinstance(kept.body, PermitHeld)
        events.append(_event(names, kept))
    rows = [_permit(story, names, name, holds) for name, holds in permits.items()]
    sheets = [_facts(story, name, (done.last, language)) for name in permits]
    return Period(
        slice=done,
        bundle=story.replica.bundle,
        events=events,
        alarms=[row for name, row in alarms.items() if name in touched],
        permits=[row for row in rows if row],
        papers=[facts for facts in sheets if facts is not None],
        blanks=_blanks(data, story, until_ns),
    )


def _event(names: Names, kept: Kept) -> dict[str, Any]:
    envelope, said = kept.envelope, sentence(names, kept.body)
    return {
        "seq": envelope.seq,
        "time_utc": _utc(envelope.act_ns or envelope.wall_ns),
        "clock_trusted": "yes" if envelope.sync else "no",
        "type": envelope.type,
        "about": kept.body.index_key(),
        "actor": names.source(envelope.cause.actor).zh,
        "zh": said.zh,
        "en": said.en,
    }


def _alarm(alarms: dict[str, dict[str, Any]], names: Names, kept: Kept) -> str:
    body, at = kept.body, _utc(kept.envelope.wall_ns)
    alarm_id = str(getattr(body, "alarm_id", ""))
    if isinstance(body, AlarmRaised):
        alarms[alarm_id] = {
            "id": alarm_id,
            "kind": body.kind,
            "source": names.source(body.source).zh,
            "zone": names.zone(body.zone_id).zh,
            "priority": body.priority,
            "mark": body.mark,
            "raised": at,
        }
    told = _TIMES.get(type(body), "")
    if told and alarm_id in alarms:
        alarms[alarm_id][told] = at
    return alarm_id if alarm_id in alarms else ""


def _permit(story: Story, names: Names, permit_id: str, holds: int) -> dict[str, Any]:
    permit = story.replica.state.permits.permits.get(permit_id)
    if permit is None:
        return {}
    until = permit.valid.start_wall_ns + permit.valid.duration_ns
    late = permit.life.late or any(s.late for s in permit.life.signed.values())
    return {
        "id": permit.id,
        "kind": permit.kind,
        "zone": names.zone(permit.zone_id).zh,
        "content": permit.title,
        "issuer": names.person(approver_of(permit)).zh,
        "leader": names.person(permit.supervisor_id).zh,
        "guardian": names.person(permit.guardian_id).zh,
        "workers": "、".join(names.person(each).zh for each in permit.workers),
        "issued": _utc(permit.issued_wall_ns) if permit.issued_wall_ns else "",
        "valid_until": _utc(until),
        "status": str(permit.status),
        "outcome": permit.outcome,
        "holds": holds,
        "late": "yes" if late else "no",
        "blank": permit.life.blank,
    }


def _facts(story: Story, permit_id: str, place: tuple[int, str]) -> Facts | None:
    """Return a permit's sheet as of the slice's end; ``place``: its seq, language."""
    permit = story.replica.state.permits.permits.get(permit_id)
    if permit is None:
        return None
    last, language = place
    told = (story.replica, story.papers)
    return facts_of(told, permit, Place(last, story.head), language)


def _blanks(data: Path, story: Story, until_ns: int | None) -> list[dict[str, Any]]:
    """Return every blank form that was handed out, and what became of it."""
    site = story.replica.bundle.site.id
    permits = story.replica.state.permits.permits.values()
    entered = {p.life.blank: p for p in permits if p.life.blank}
    rows = []
    for blank in Blanks(data).numbers(until_ns):
        permit = entered.get(number(site, blank.value))
        standing = "void" if blank.void else "unaccounted"
        rows.append(
            {
                "number": number(site, blank.value),
                "form": blank.form,
                "printed": _utc(blank.wall_ns),
                "by": blank.by,
                "reprints": blank.reprints,
                "standing": "entered" if permit is not None else standing,
                "permit": permit.id if permit is not None else "",
                "void": blank.void,
            }
        )
    return rows


def _tables(folder: Path, period: Period) -> None:
    _table(folder / "events.csv", _EVENTS, period.events)
    _table(folder / "alarms.csv", (*_ALARMS, *_ALARM_TIMES), period.alarms)
    _table(folder / "permits.csv", _PERMITS, period.permits)
    _table(folder / "blanks.csv", _BLANKS, period.blanks)


def _table(file: Path, columns: Iterable[str], rows: list[dict[str, Any]]) -> None:
    """Write UTF-8 with a mark, which table programs need for Chinese."""
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, list(columns), restval="")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _plain(value) for name, value in row.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _readme(folder: Path, manifest: Manifest) -> None:
    facts = {
        "since": manifest.since,
        "until": manifest.until,
        "key": manifest.key,
        "first": manifest.first,
        "last": manifest.last,
    }
    said = [texts.render("paper.readme", facts, language) for language in ("zh", "en")]
    (folder / "README.txt").write_text("\n\n".join(said) + "\n", "utf-8")


def _utc(wall_ns: int) -> str:
    return datetime.fromtimestamp(wall_ns // NS, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _ns(moment: datetime) -> int:
    return int(moment.timestamp()) * NS


class _Summary:
    """Draw the summary: how many of what, who, and what proves it."""

    def __init__(self, period: Period, manifest: Manifest, language: str) -> None:
        self._period, self._manifest, self._language = period, manifest, language

    def _say(self, code: str, **params: object) -> str:
        return texts.render(f"paper.{code}", params, self._language)

    def draw(self, faces: fonts.Fonts) -> bytes:
        """Return the PDF's bytes."""
        told, names = self._manifest, self._period.bundle.site.names
        moment = datetime.fromtimestamp(RealClock().wall_ns() // NS, UTC)
        self._sheet = Sheet(faces, self._language, self._say("summary"), moment)
        self._sheet.page()
        self._sheet.text(self._say("summary"), 19, bold=True)
        self._sheet.y += 2
        self._rows(
            "about",
            (
                ("site", names.zh if self._language == "zh" else names.en),
                ("from", told.since),
                ("to", told.until),
                ("slice", f"{told.first} – {told.last}"),
                ("key", fingerprint(bytes.fromhex(told.key))),
            ),
        )
        permits, alarms = self._period.permits, self._period.alarms
        self._count("permits", Counter(f"{r['kind']} · {r['status']}" for r in permits))
        self._count("blanks", Counter(row["standing"] for row in self._period.blanks))
        self._count("alarms", Counter(row["kind"] for row in alarms))
        self._count("events", Counter(row["type"] for row in self._period.events))
        self._sheet.y += 2
        self._sheet.text(self._say("summary_verify"), 8)
        return self._sheet.data()

    def _count(self, name: str, counted: Counter[str]) -> None:
        rows = [(what, str(times)) for what, times in counted.most_common()]
        whole = (self._say("total"), str(counted.total()))
        self._table(name, [*rows, whole])

    def _rows(self, name: str, rows: Iterable[tuple[str, str]]) -> None:
        self._table(name, [(self._say(f"sum.{code}"), text) for code, text in rows])

    def _table(self, name: str, rows: list[tuple[str, str]]) -> None:
        sheet = self._sheet
        sheet.y += 3
        if sheet.left() < 20:
            sheet.page()
        sheet.text(self._say(f"sum.{name}"), 11, bold=True)
        sheet.y += 1
        for what, text in rows:
            if sheet.left() < 8:
                sheet.page()
            sheet.row((label(what, 80), Cell(text, 110)), 6)
