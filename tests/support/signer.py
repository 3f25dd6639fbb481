"""A person's device in software: a P-256 key, and statements signed with it.

`Phone(bench, "ann").enrol()` makes a device that the hub knows; `sign` returns the
proof of an act and `act` sends it. Keys derive from their names: a seed is a run.
"""

import hashlib
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.hub import encode_act
from core.journal import proofs
from core.journal.envelope import Proof
from core.link import messages as m
from core.people.acts import Act
from core.people.keys_acts import ApproveKey, EnrolKey
from tests.support.kernel import Bench

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
MS = 1_000_000


class Phone:
    """Hold one device's key; ``person`` '' is a gate's terminal."""

    def __init__(self, bench: Bench, person: str, name: str = "") -> None:
        self.bench, self.person = bench, person
        self.name = name or f"{person}'s phone"
        seed = hashlib.sha256(f"safehold test {self.name}".encode()).digest()
        number = int.from_bytes(seed) % (_ORDER - 1) + 1
        self.key = ec.derive_private_key(number, ec.SECP256R1())
        self.public = self.key.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )
        self.id = proofs.key_id(self.public)
        self._last = 0

    def now_ms(self) -> int:
        """Return the site's time, later than of any statement before."""
        self._last = max(self.bench.clock.wall_ns() // MS, self._last + 1)
        return self._last

    def sign(self, verb: str, body: Act | dict[str, Any], /, **fields: Any) -> Proof:
        """Return the proof of an act; ``fields`` replace those of the statement."""
        told = {
            "v": 1,
            "hub": self.bench.hub.state.hub.id,
            "person": self.person,
            "verb": verb,
            "body": msgspec.to_builtins(body),
            "expected_version": None,
            "at": fields.pop("at", None) or self.now_ms(),
            "place": None,
            "method": "key",
            "attachments": [],
        }
        data = msgspec.json.encode(told | fields, order="sorted")
        return self.seal(data)

    def seal(self, data: bytes) -> Proof:
        """Sign bytes as WebCrypto does."""
        der = self.key.sign(data, ec.ECDSA(SHA256(), deterministic_signing=True))
        r, s = decode_dss_signature(der)
        return Proof(key=self.id, data=data, sig=r.to_bytes(32) + s.to_bytes(32))

    def act(self, act: Act, version: int | None = None, **fields: Any) -> m.ActReply:
        """Sign an act and send it in the statement's person's name."""
        second = fields.pop("second", None)
        proof = self.sign(act.verb_, act, expected_version=version, **fields)
        person = fields.get("person", self.person)
        return send(self.bench, person, act, proof, second)

    def enrol(self, **fields: Any) -> "Phone":
        """Enrol this key by its person's session; it must succeed."""
        reply = self.ask_enrol(**fields)
        assert reply.ok, (reply.code, reply.params)
        return self

    def ask_enrol(self, by: str = "", **fields: Any) -> m.ActReply:
        """Ask to enrol this key; ``by`` is the owner of a terminal."""
        act = EnrolKey(public=self.public.hex(), label=self.name, **fields)
        person = by or self.person
        proof = self.sign(act.verb_, act, person=person)
        return send(self.bench, person, act, proof)

    def approve(self, other: "Phone") -> m.ActReply:
        """Agree to another device's key."""
        return self.act(ApproveKey(key_id=other.id))


def send(
    bench: Bench,
    person: str,
    act: Act,
    proof: Proof | None,
    second: Proof | None = None,
    request_id: str = "",
    version: int | None = None,
) -> m.ActReply:
    """Send an act with its proofs; return the answer, which must come."""
    number = request_id or f"signed-{len(bench.links.sent)}"
    request = m.ActRequest(
        id=number,
        person_id=person,
        verb=act.verb_,
        body=encode_act(act),
        expected_version=version,
        proof=proof,
        second=second,
    )
    before = len(bench.links.of(m.ActReply))
    bench.kernel.access.receive("gateway", request)
    bench.settle()
    replies = bench.links.of(m.ActReply)[before:]
    assert len(replies) == 1, f"{act.verb_} was answered {len(replies)} times"
    reply: m.ActReply = replies[0]
    return reply
