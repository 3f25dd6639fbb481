"""Numbered blank forms for outages: each number is handed out once, and logged.

The log ``<data>/paper/blanks.jsonl`` is written before a form is, so that a number
may be missing on paper and can never be there twice unnoticed; a reprint names its
reason. Filled forms come in later as late entries, by their numbers.
"""

import fcntl
import os
from pathlib import Path
from typing import NamedTuple

import msgspec

NAME = "blanks.jsonl"
MOST = 200
_DIGITS = 6


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Note one printing of the numbers ``first`` to ``last``."""

    first: int
    last: int
    form: str
    by: str
    wall_ns: int
    reprint: str = ""
    """Why these numbers were printed again; empty for new ones."""
    void: str = ""
    """What became of forms that nobody will enter: spoilt, lost, thrown away."""


class Blank(NamedTuple):
    """Say of one number where it stands."""

    value: int
    form: str
    by: str
    wall_ns: int
    reprints: int
    void: str


class BlankError(Exception):
    """Forms cannot be printed; says why and the mend."""


class Blanks:
    """Hand out numbers of one hub; ``data`` is its folder."""

    def __init__(self, data: Path) -> None:
        self.path = data / "paper" / NAME

    def take(self, count: int, form: str, by: str, wall_ns: int) -> Batch:
        """Log and return the next ``count`` numbers; raises BlankError, OSError."""
        if not 1 <= count <= MOST:
            raise BlankError(f"--count is 1 to {MOST}: print several batches")
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.path.open("ab+") as log:
            fcntl.flock(log, fcntl.LOCK_EX)
            last = max((batch.last for batch in self._read()), default=0)
            batch = Batch(
                first=last + 1, last=last + count, form=form, by=by, wall_ns=wall_ns
            )
            self._append(log.fileno(), batch)
        return batch

    def void(self, first: int, last: int, why: str, by: str, wall_ns: int) -> None:
        """Note what became of numbers that will not be entered; raises BlankError."""
        if not why.strip():
            raise BlankError("--why: what became of them?")
        known = {each.value: each for each in self.numbers()}
        wrong = [n for n in range(first, last + 1) if n not in known]
        if wrong or last < first or last - first >= MOST:
            raise BlankError(f"{first}-{last} is no range of numbers handed out")
        batch = Batch(first=first, last=last, form="", by=by, wall_ns=wall_ns, void=why)
        with self.path.open("ab+") as log:
            fcntl.flock(log, fcntl.LOCK_EX)
            self._append(log.fileno(), batch)

    def numbers(self, until_ns: int | None = None) -> list[Blank]:
        """Return each number handed out until a moment, in order."""
        found: dict[int, Blank] = {}
        for batch in self._read():
            if until_ns is not None and batch.wall_ns > until_ns:
                continue
            for value in range(batch.first, batch.last + 1):
                known = found.get(value)
                if known is None:
                    told = (value, batch.form, batch.by, batch.wall_ns)
                    known = Blank(*told, reprints=-1, void="")
                again = 0 if batch.void else 1
                found[value] = known._replace(
                    reprints=known.reprints + again, void=batch.void or known.void
                )
        return [found[value] for value in sorted(found)]

    def again(self, first: int, last: int, why: str, by: str, wall_ns: int) -> Batch:
        """Log a reprint of numbers that were handed out; raises BlankError."""
        if not why.strip():
            raise BlankError("a reprint needs --why: where did the first print go?")
        known = {
            number: batch.form
            for batch in self._read()
            if not batch.void
            for number in range(batch.first, batch.last + 1)
        }
        forms = {known.get(number) for number in range(first, last + 1)}
        form = next(iter(forms), None)
        if len(forms) != 1 or form is None or last - first >= MOST:
            raise BlankError(f"{first}-{last} is no range of one kind printed before")
        batch = Batch(
            first=first, last=last, form=form, by=by, wall_ns=wall_ns, reprint=why
        )
        with self.path.open("ab+") as log:
            fcntl.flock(log, fcntl.LOCK_EX)
            self._append(log.fileno(), batch)
        return batch

    def _append(self, log: int, batch: Batch) -> None:
        os.write(log, msgspec.json.encode(batch) + b"\n")
        os.fsync(log)

    def _read(self) -> list[Batch]:
        found = []
        lines = self.path.read_bytes().splitlines() if self.path.exists() else []
        for number, line in enumerate(lines, 1):
            try:
                found.append(msgspec.json.decode(line, type=Batch))
            except msgspec.MsgspecError as bad:
                raise BlankError(
                    f"{self.path}:{number} is damaged: mend or remove the line, and"
                    " make sure that no number is used twice"
                ) from bad
        return found


def number(site: str, value: int) -> str:
    """Return a form's number as people write it: site-B-000123."""
    return f"{site}-B-{value:0{_DIGITS}d}"
