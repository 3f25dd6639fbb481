"""Names and phones of what is owed lie sealed; another secret begins anew."""

from pathlib import Path

from core.registry.secrets import Secrets
from frontend_api.exchange.mapping import Owed
from frontend_api.exchange.outbox import DEAD, QUEUED, Outbox

BODY = '{"SUPERVISORNAME":"诸葛孔明","MAJORPERSONMOBILE":"13987654321"}'.encode()


def owed(number: int, problem: str = "") -> Owed:
    return Owed("ticket", f"id-{number}", "now", BODY, problem)


def stored(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("outbox.db*"))


def test_what_is_owed_lies_sealed_and_leaves_with_its_letter(tmp_path: Path) -> None:
    """Design §5 Personal data: encrypted at rest, and least."""
    folder = tmp_path / "exchange"
    box = Outbox(folder, Secrets(tmp_path))
    box.owe([owed(1), owed(2, "aq.field")], (1, 7), 1)
    box.keep(7, BODY)
    assert BODY not in stored(folder)
    assert (folder / "outbox.db").stat().st_mode & 0o077 == 0
    box.close()
    box = Outbox(folder, Secrets(tmp_path))
    letter = box.next(2, 1)
    assert letter is not None
    assert letter.body == BODY
    assert box.kept() == (7, BODY)
    box.sent(letter.n, 3)
    (sent,) = box.listed("sent")
    assert sent.body == b""
    assert [dead.body for dead in box.listed(DEAD)] == [BODY]
    box.close()


def test_a_lost_secret_begins_anew_from_the_journal(tmp_path: Path) -> None:
    """What nobody can open is derived again; what was delivered is not sent twice."""
    folder = tmp_path / "exchange"
    box = Outbox(folder, Secrets(tmp_path))
    box.owe([owed(1), owed(2)], (1, 7), 1)
    letter = box.next(2, 1)
    assert letter is not None
    box.sent(letter.n, 3)
    box.close()
    box = Outbox(folder, Secrets(tmp_path / "other"))
    assert box.cursor() == (0, 0)
    assert box.counts() == {"sent": 1}
    box.owe([owed(1), owed(2)], (1, 7), 9)
    assert box.counts() == {"sent": 1, QUEUED: 1}
    box.close()


def test_what_an_older_release_stored_in_clear_is_still_delivered(
    tmp_path: Path,
) -> None:
    box = Outbox(tmp_path)
    box.owe([owed(1)], (1, 7), 1)
    box._db.execute("UPDATE letter SET body = ?", (BODY,))
    box.close()
    box = Outbox(tmp_path)
    letter = box.next(2, 1)
    assert letter is not None
    assert letter.body == BODY
    box.close()
