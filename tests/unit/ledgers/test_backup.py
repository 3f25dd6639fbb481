"""A backup that is put back brings nobody back (design §5 Personal data)."""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from core import config
from core.people.vault import Standing, Vault
from core.permits.attachments_state import AttachmentRecord, key_of
from core.response.tasks_state import FiledTask
from core.state import SiteState
from frontend_api.commands.erasures import (
    Register,
    destroy_again,
    main,
    register_of,
)
from frontend_api.evidence import Evidence
from tests.support.site import ROOT, RunningHub, small_site
from tests.unit.attachments.test_stops import Pass
from tests.unit.attachments.test_uploads import MP4, brought
from tests.unit.ledgers.test_command import _end, ledger
from tests.unit.ledgers.test_plan import row


async def safehold(*args: str | Path) -> tuple[int, str, str]:
    """Run a command of the hub; return its status and what it said."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "core.cli", *map(str, args)],
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=50,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


async def test_who_was_erased_stays_erased_after_a_restore(tmp_path: Path) -> None:
    """The whole folder is put back, journal and keys and all."""
    officer = config.Person(id="sam", name="赵安", roles=("safety_officer",))
    site = msgspec.structs.replace(small_site(), people=(officer,))
    data, saved, file = tmp_path / "data", tmp_path / "saved", tmp_path / "register"
    book = ledger(tmp_path, row(end=_end()))
    by = ("--data", data, "--by", "sam")
    async with RunningHub(data, site) as hub:
        done = await safehold("import", "people", book, "--mapping", "cn-cards", *by)
        assert done[0] == 0, done[2]
        cards = (await hub.attach()).state.people.cards
        ((person, facts),) = cards.persons.items()
    assert Vault(data).get(person, "fields", facts.fields)
    shutil.copytree(data, saved)
    async with RunningHub(data, site):
        done = await safehold("import", "erase", person, *by)
        assert done[0] == 0, done[2]
    assert (await safehold("erasures", "--data", data, "--out", file))[0] == 0
    assert "张伟" not in file.read_text()
    shutil.rmtree(data)
    shutil.copytree(saved, data)
    assert Vault(data).get(person, "fields", facts.fields), "the backup has it all"
    status, _, err = await safehold("erasures", *by, "--apply", file)
    assert (status, "no hub runs here" in err) == (1, True)
    assert Vault(data).verify(person, "fields", facts.fields) is Standing.ERASED
    async with RunningHub(data, site) as hub:
        status, out, err = await safehold("erasures", *by, "--apply", file)
        assert (status, err) == (0, "")
        assert person in out
        cards = (await hub.attach()).state.people.cards
        assert person in cards.erased
        assert person not in cards.persons
        assert (await safehold("erasures", *by, "--apply", file))[0] == 0
    status, out, err = await safehold("verify", data / "journal")
    assert status == 0, out + err


def test_a_register_destroys_all_that_it_names(tmp_path: Path) -> None:
    """Persons, faces, blobs and records; twice is nothing."""
    work = Pass(tmp_path)
    picture, film = brought(work.uploads), brought(work.uploads, MP4)
    face = work.vault.put("ann", "template", b"vector")
    photo = work.vault.put("bob", "photo", b"picture")
    state = SiteState(seq=9)
    permit = work.permit(picture)
    permit.attachments.items[key_of("process_video", film)] = AttachmentRecord(
        slot="process_video", sha256=film, size=1, media="video/mp4",
        person_id="ann", taken_ms=1, recorded_wall_ns=1, erased_seq=4,
    )  # fmt: skip
    state.permits.permits["pt-1"] = permit
    state.people.keys.faces_gone["ann"] = {face: 3}
    state.people.cards.erased["bob"] = 5
    state.response.tasks.filed["t-1"] = FiledTask(
        id="t-1", closed_wall_ns=1, photos=[], gone_seq=6
    )
    found = register_of(state)
    assert found == Register(
        seq=9, persons=["bob"], faces={"ann": [face]}, blobs={"pt-1": [film]},
        records=["t-1"],
    )  # fmt: skip
    again = msgspec.json.decode(msgspec.json.encode(found), type=Register)
    assert destroy_again(again, work.vault) == 4
    assert destroy_again(again, work.vault) == 0
    evidence = Evidence(work.vault)
    assert evidence.verify("pt-1", film) is Standing.ERASED
    assert evidence.verify("pt-1", picture) is Standing.SOUND
    assert work.vault.verify("bob", "photo", photo) is Standing.ERASED
    permit.attachments.gone_seq = 7
    assert register_of(state).records == ["pt-1", "t-1"]


def test_what_is_no_register_destroys_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"persons": [1]}')
    assert main(["--data", str(tmp_path), "--apply", str(wrong)]) == 2
    assert "no register of erasures" in capsys.readouterr().err
    wrong.write_text("{}")
    assert main(["--data", str(tmp_path), "--apply", str(wrong)]) == 2
    assert "no hub's data" in capsys.readouterr().err
    assert main(["--data", str(tmp_path), "--out", str(tmp_path / "x")]) == 2
