"""`safehold verify` holds every signature against the keys told before it (§5)."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import SimClock
from core.journal import envelope as envelopes
from core.journal.audit import Report
from core.journal.checkpoint import sim_signer
from core.journal.envelope import Envelope
from core.journal.export import export
from core.journal.frame import EXPORT, ExportHeader, Frame, encode, walk
from core.journal.simdisk import SimDisk
from core.journal.store import Store
from core.journal.verify import render, verify
from core.journal.writer import SyncWriter
from core.people.acts import MovePerson, SetRoles
from core.people.keys_acts import RevokeKey
from tests.support.signer import Phone
from tests.support.yard import Yard
from tests.unit.journal.journals import PACE, SMALL, save

Change = Callable[[Envelope], Envelope]


def written(stored: list[bytes]) -> SimDisk:
    """Return a disk with these events as a hub's writer puts them there."""
    disk, clock = SimDisk(0), SimClock()
    disk.spend = lambda ns: clock.advance_to(clock.mono_ns() + ns)
    store = Store.open(disk, sim_signer(7, clock), clock, SMALL, Random(1).randbytes)
    writer = SyncWriter(store, lambda _notice: None, clock, None, PACE)
    for seq, data in enumerate(stored, 1):
        writer.accept(seq, data, False, None, "")
        while writer.pump() == 0:
            pass
    writer.close()
    return disk


def busy() -> Yard:
    """Return a yard in which an owner has set roles thirty times, signed."""
    yard = Yard()
    yard.act_claim("own")
    own = Phone(yard, "own").enrol()
    sam = Phone(yard, "sam").enrol()
    for turn in range(30):
        yard.advance(1)
        role = ("guardian", "worker")[turn % 2]
        assert own.act(SetRoles(person_id="ann", roles=(role,))).ok
        zone = ("tank", "yard")[turn % 2]
        assert sam.act(MovePerson(person_id="ann", zone_id=zone)).ok
    assert sam.act(RevokeKey(key_id=sam.id)).ok
    return yard


@pytest.fixture(scope="module")
def yard() -> Yard:
    return busy()


def tampered(yard: Yard, kind: str, change: Change) -> list[bytes]:
    """Return the stored events with one, the last of its kind, changed."""
    found = [envelopes.decode(data) for data in yard.journal.stored]
    at = max(n for n, e in enumerate(found) if e.type == kind and e.cause.proof)
    found[at] = change(found[at])
    return [envelopes.encode(each) for each in found]


def told(tmp_path: Path, stored: list[bytes]) -> Report:
    return verify(save(written(stored), tmp_path / "journal"))


def test_every_signature_is_checked(yard: Yard, tmp_path: Path) -> None:
    report = told(tmp_path, yard.journal.stored)
    assert report.ok, report.findings
    assert report.signatures == 63
    assert "63 signatures of people hold" in render(report)


def _proof(**fields: object) -> Change:
    def change(event: Envelope) -> Envelope:
        assert event.cause.proof is not None
        proof = msgspec.structs.replace(event.cause.proof, **fields)
        cause = msgspec.structs.replace(event.cause, proof=proof)
        return msgspec.structs.replace(event, cause=cause)

    return change


def _actor(event: Envelope) -> Envelope:
    cause = msgspec.structs.replace(event.cause, actor="person:sam")
    return msgspec.structs.replace(event, cause=cause)


@pytest.mark.parametrize(
    ("kind", "change", "code"),
    [
        ("person.roles", _proof(sig=bytes(64)), "signature_forged"),
        ("person.roles", _proof(data=b"{}"), "signature_forged"),
        ("person.roles", _proof(key="f" * 32), "key_unknown"),
        ("person.roles", _actor, "signature_misused"),
    ],
)
def test_what_a_hub_could_have_forged_is_named(
    yard: Yard, tmp_path: Path, kind: str, change: Change, code: str
) -> None:
    """A journal that its own hub rewrote, signed anew: people's keys tell."""
    stored = tampered(yard, kind, change)
    report = told(tmp_path, stored)
    found = [envelopes.decode(data) for data in stored]
    at = max(n for n, e in enumerate(found) if e.type == kind)
    assert [(f.code, f.seq) for f in report.findings] == [(code, at + 1)]


def test_a_proof_in_another_order_was_used_twice(yard: Yard, tmp_path: Path) -> None:
    found = [envelopes.decode(data) for data in yard.journal.stored]
    one, two = [n for n, e in enumerate(found) if e.type == "person.roles"][-2:]
    found[one], found[two] = (
        msgspec.structs.replace(found[one], cause=found[two].cause),
        msgspec.structs.replace(found[two], cause=found[one].cause),
    )
    report = told(tmp_path, [envelopes.encode(each) for each in found])
    assert [f.code for f in report.findings] == ["signature_replayed"]


def test_what_a_revoked_key_signed_later_is_named(yard: Yard, tmp_path: Path) -> None:
    found = [envelopes.decode(data) for data in yard.journal.stored]
    moved = [n for n, e in enumerate(found) if e.type == "person.moved"][-1]
    gone = next(n for n, e in enumerate(found) if e.type == "key.revoked")
    assert gone > moved
    last, end = found[moved], found[gone]
    found[moved] = msgspec.structs.replace(end, seq=last.seq, cause=found[0].cause)
    found[gone] = msgspec.structs.replace(last, seq=end.seq)
    report = told(tmp_path, [envelopes.encode(each) for each in found])
    assert [f.code for f in report.findings] == ["key_revoked"]


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(where=st.sampled_from(["data", "sig"]), at=st.integers(0, 1 << 16))
def test_any_flipped_bit_is_found(
    yard: Yard, tmp_path: Path, where: str, at: int
) -> None:
    """One bit of what was signed, or of the signature."""

    def flip(event: Envelope) -> Envelope:
        assert event.cause.proof is not None
        changed = bytearray(getattr(event.cause.proof, where))
        bit = at % (len(changed) * 8)
        changed[bit // 8] ^= 1 << bit % 8
        return _proof(**{where: bytes(changed)})(event)

    report = told(tmp_path, tampered(yard, "person.roles", flip))
    assert [f.code for f in report.findings] == ["signature_forged"]


class TestExport:
    """A slice carries the keys of those who signed in it."""

    @pytest.mark.parametrize("first", [14, 20, 40, 60])
    def test_it_verifies_alone(self, yard: Yard, tmp_path: Path, first: int) -> None:
        target = tmp_path / "slice"
        done = export(written(yard.journal.stored), target, first, first + 3)
        report = verify(target)
        assert report.ok, report.findings
        assert report.first_seq <= first
        assert report.last_seq == done.last >= first + 3
        assert report.signatures >= 3

    def test_what_was_promised_is_not_leapt_over(
        self, yard: Yard, tmp_path: Path
    ) -> None:
        """A jump may hide what nobody promised, and nothing else."""
        target = tmp_path / "slice"
        export(written(yard.journal.stored), target, 60, 62)
        data = target.read_bytes()
        first = next(f for f in walk(data) if isinstance(f, Frame))
        header = msgspec.msgpack.decode(first.payload, type=ExportHeader)
        lied = msgspec.structs.replace(header, first=10)
        forged = encode(EXPORT, msgspec.msgpack.encode(lied), bytes(32))
        target.write_bytes(forged + data[first.end :])
        assert "out_of_place" in {f.code for f in verify(target).findings}
