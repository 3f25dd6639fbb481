"""``safehold erasures``: a backup that is put back brings nobody back.

The register names what was erased by ids and hashes, never by content. It is kept
apart from the backups; applied to a folder that was put back, it destroys again what
the backup still had, and tells the journal of persons that it does not know of.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from core import texts
from core.clock import RealClock
from core.people.acts import ErasePerson
from core.people.vault import Vault
from core.processes.guest import NotRunning
from core.registry.files import write_whole
from core.state import SiteState
from core.texts.sentences import add_option
from frontend_api.commands.story import Story
from frontend_api.evidence import Evidence
from frontend_api.ledgers.apply import NotDone
from frontend_api.ledgers.site import attached

DONE, LEFT, WRONG = 0, 1, 2


class Register(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Name everything that a journal calls erased, up to an event."""

    format: int = 1
    seq: int = 0
    persons: list[str] = []
    faces: dict[str, list[str]] = {}
    """Person → templates."""
    blobs: dict[str, list[str]] = {}
    """Permit or task → blobs; those of ``records`` need no naming."""
    records: list[str] = []
    """Permits and tasks whose own key is gone."""


def main(argv: list[str]) -> int:
    """Write or apply; 0 done, 1 something is left to do, 2 wrong file or folder."""
    options = _options(argv)
    data = Path(options.data).resolve()
    try:
        if options.out:
            return _write(data, Path(options.out))
        return _apply(options, data, Path(options.apply))
    except msgspec.MsgspecError as bad:
        sys.stderr.write(f"{options.apply}: no register of erasures: {bad}\n")
    except OSError as bad:
        sys.stderr.write(f"safehold erasures: {bad}\n")
    return WRONG


def register_of(state: SiteState) -> Register:
    """Return what a state's journal calls erased."""
    found = Register(seq=state.seq, persons=sorted(state.people.cards.erased))
    for person, gone in sorted(state.people.keys.faces_gone.items()):
        found.faces[person] = sorted(gone)
    for permit in state.permits.permits.values():
        if permit.attachments.gone_seq:
            found.records.append(permit.id)
            continue
        names = {i.sha256 for i in permit.attachments.items.values() if i.erased_seq}
        if names:
            found.blobs[permit.id] = sorted(names)
    tasks = state.response.tasks
    for task_id in (*tasks.tasks, *tasks.filed):
        held = tasks.pictured(task_id)
        if held is not None and held.gone_seq:
            found.records.append(task_id)
    return found


def destroy_again(register: Register, vault: Vault) -> int:
    """Destroy what a vault still has of a register; returns how much. OSError."""
    done = 0
    for over, destroy, *words in _work(register, vault):
        if not over(*words):
            destroy(*words)
            done += 1
    return done


def _work(register: Register, vault: Vault) -> Iterator[tuple[Any, ...]]:
    """Yield whether it is destroyed, what destroys it, and its names."""
    evidence = Evidence(vault)
    for person in register.persons:
        yield vault.erased, vault.erase, person
    for person, faces in register.faces.items():
        for face in faces:
            yield vault.template_erased, vault.erase_template, person, face
    for record in register.records:
        yield vault.permit_erased, vault.erase_permit, record
    for record, names in register.blobs.items():
        for name in names:
            yield evidence.erased, evidence.erase, record, name


def _write(data: Path, out: Path) -> int:
    story = Story(data)
    for _ in story.tell():
        pass
    register = register_of(story.replica.state)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, msgspec.json.format(msgspec.json.encode(register)) + b"\n")
    sys.stdout.write(
        f"{out}: {len(register.persons)} persons, {len(register.records)} records,"
        f" up to event {register.seq}; keep it apart from the backups\n"
    )
    return DONE


def _apply(options: argparse.Namespace, data: Path, file: Path) -> int:
    register = msgspec.json.decode(file.read_bytes(), type=Register)
    if not (data / "journal").is_dir():
        raise FileNotFoundError(f"{data}: no hub's data; --data names the folder")
    done = destroy_again(register, Vault(data))
    sys.stdout.write(f"{data}: destroyed again: {done}\n")
    try:
        left = asyncio.run(_tell(options, data, register))
    except (NotRunning, TimeoutError):
        sys.stderr.write(
            "safehold erasures: no hub runs here; give --by and apply it again once"
            " it does, so that its journal knows of the persons\n"
        )
        return LEFT if register.persons else DONE
    return LEFT if left else DONE


async def _tell(options: argparse.Namespace, data: Path, register: Register) -> int:
    """Tell the journal of persons it does not call erased; returns who is left."""
    left = 0
    async with attached(data, RealClock(), options.by, options.language) as site:
        for person in register.persons:
            if person in site.replica.state.people.cards.erased:
                continue
            try:
                await site.act(ErasePerson(person_id=person))
            except NotDone as no:
                left += 1
                sys.stderr.write(f"{person}: {no}\n")
            else:
                facts = {"person": person}
                said = texts.render("event.person.erased", facts, options.language)
                sys.stdout.write(said + "\n")
    return left


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="safehold erasures",
        description="Keep a register of what was erased; apply it after a restore.",
    )
    parser.add_argument("--data", required=True, help="folder of the hub's data")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", help="write the register to this file")
    what.add_argument("--apply", help="destroy what this register names")
    parser.add_argument("--by", default="", help="id of the safety officer who applies")
    add_option(parser)
    return parser.parse_args(argv)
