"""Who watches a site under the law: reads its journal as any inspector would.

`Rough` is `Works` whose people may be refused; `Judge` follows the journal beside
the kernel and asserts what must hold of every event (design §5).
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from core import state
from core.hub import encode_act
from core.journal import envelope as envelopes
from core.journal import fold
from core.journal.envelope import Effect, Envelope, Proof
from core.journal.events import Event, decode_body
from core.journal.proofs import Proofs
from core.link import messages as m
from core.people.acts import Act, RecordCard
from core.people.keys_acts import VerifyPerson
from core.permits import events as p
from core.permits import life_events as e
from core.permits.acts import CheckPermit
from core.permits.gas_tests_acts import Sample, TestGas
from core.permits.gas_tests_events import GasTested
from core.permits.lifecycle import PREPARING, RUNNING, TABLE, PermitStatus
from core.permits.state import PermitRecord
from tests.support.signer import send
from tests.support.works import Works

S = PermitStatus
#: What a pack's word for a gas means at this site.
GASES: Final = {"combustible": ("lel",), "oxygen": ("o2",), "toxic": ("h2s",)}
#: Event → from which statuses it may come, and where it leads (None: nowhere).
_MOVES: Final[
    dict[type[Event], tuple[tuple[PermitStatus, ...], tuple[PermitStatus, ...]]]
] = {
    e.PermitApplied: (TABLE["apply"], (S.APPLIED,)),
    e.PermitAnalysed: (TABLE["analyse"], (S.ANALYSED,)),
    e.PermitApproved: (TABLE["sign"], (S.APPROVED, S.BRIEFED)),
    e.PermitRejected: (TABLE["reject"], (S.REJECTED,)),
    e.PermitStarted: (TABLE["start"], (S.ACTIVE,)),
    p.PermitReleased: (TABLE["release"], (S.ACTIVE,)),
    p.PermitVerifying: ((S.ACTIVE,), (S.VERIFYING,)),
    p.PermitVerified: ((S.VERIFYING,), (S.ACTIVE,)),
    p.PermitExpired: ((*PREPARING, *RUNNING, S.HELD), (S.EXPIRED,)),
    e.PermitCompleted: (TABLE["complete"], (S.COMPLETED,)),
    e.PermitAccepted: (TABLE["accept"], (S.ACCEPTED,)),
    e.PermitCancelled: (TABLE["cancel"], (S.CANCELLED, S.WITHDRAWN, S.SUPERSEDED)),
    p.PermitClosed: (TABLE["close"], (S.CLOSED,)),
}
_GOES_ON: Final = (e.PermitStarted, p.PermitReleased, p.PermitVerified)


class Rough(Works):
    """Let people try what may be refused."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__(seed)
        self._asked = 0
        self._proofs: dict[str, Proof] = {}

    def view(self, permit_id: str) -> dict[str, Any]:
        """Return what the hub says of a permit to anybody, whatever the clock says."""
        reply = self.act("sue", CheckPermit(permit_id=permit_id))
        found: dict[str, Any] = msgspec.json.decode(str(reply.result["view"]))
        return found

    def say_later(
        self, person: str, act: Act, version: int | None
    ) -> Callable[[], m.ActReply]:
        """Let a person act; the answer comes when it comes."""
        self._asked += 1
        number = f"later-{self._asked}"
        proof = self.phones[person].sign(act.verb_, act, expected_version=version)
        request = m.ActRequest(
            id=number,
            person_id=person,
            verb=act.verb_,
            body=encode_act(act),
            expected_version=version,
            proof=proof,
        )
        self.kernel.access.receive("gateway", request)

        def answer() -> m.ActReply:
            found = [r for r in self.links.of(m.ActReply) if r.id == number]
            assert len(found) == 1, f"{act.verb_} was answered {len(found)} times"
            reply: m.ActReply = found[0]
            return reply

        return answer

    def prove(self, person: str, act: Act, version: int | None) -> m.ActReply:
        """Let a person act, and keep the proof."""
        proof = self.phones[person].sign(act.verb_, act, expected_version=version)
        self._proofs[person] = proof
        return self.send_proof(person, act, proof)

    def last_proof(self, person: str) -> Proof:
        """Return the proof of a person's last act."""
        return self._proofs[person]

    def send_proof(self, person: str, act: Act, proof: Proof) -> m.ActReply:
        """Send an act with a proof, whosever it is."""
        self._asked += 1
        return send(self, person, act, proof, request_id=f"proved-{self._asked}")

    def gas_test(self, permit_id: str) -> TestGas:
        """Return a test of every gas at every place that the kind asks for."""
        need = self.kind(self.permit(permit_id)).gas
        assert need is not None
        return TestGas(
            permit_id=permit_id,
            samples=tuple(
                Sample(gas=gas, place=place, entity_id=self.entity_of(gas))
                for word in need.gases
                for gas in GASES[word]
                for place in need.places or ("inside",)
            ),
        )

    def verify(self, permit_id: str) -> None:
        """Let everyone come to the place and try to prove to be there."""
        permit = self.permit(permit_id)
        before = dict(self.places)
        for person in (permit.supervisor_id, *permit.people()):
            self.places[person] = permit.zone_id
        self.live(4)
        for person in (permit.supervisor_id, *permit.people()):
            if person in self.phones:
                self.say(person, VerifyPerson(zone_id=permit.zone_id))
        self.places = before
        self.live(4)

    def card(self) -> RecordCard:
        """Return the card that the welder needs."""
        return RecordCard(
            person_id="ann",
            trade="hot_work",
            kind="special_operation",
            valid_to="2099-12-31",
            document="0" * 64,
        )


class Judge:
    """Follow the journal; what an event must not do, it asserts."""

    def __init__(self, site: Works) -> None:
        self._site = site
        self._proved = Proofs()
        self._stored = 0
        self.restarts()

    def restarts(self) -> None:
        """Read all from the beginning: what the disk lost was never there."""
        self._mirror = state.SiteState()
        self._read = 0
        self.permitted: dict[str, int] = {}
        """Permit → the event by which it last was allowed to go on."""
        self._contents: dict[str, str] = {}
        self._signed: dict[str, dict[str, str]] = {}
        """Permit → slot → the event of its signature."""
        self._holds: dict[str, tuple[int, p.Hold]] = {}
        self._tests: dict[str, list[tuple[int, GasTested]]] = {}

    def seq(self) -> int:
        """Return the number of the last event."""
        return self._site.hub.state.seq

    def read(self) -> None:
        """Judge what has come since."""
        journal = self._site.journal
        for data in journal.stored[self._stored :]:
            wrong = list(self._proved.look(data))
            assert not wrong, wrong
        self._stored = len(journal.stored)
        both = journal.stored + [data for _, data in journal.backlog]
        for data in both[self._read :]:
            wrapped = envelopes.decode(data)
            body = decode_body(wrapped)
            if body is not None:
                self._judge(body, wrapped)
            else:
                fold.replay(self._mirror, wrapped)
        self._read = len(both)
        live = self._site.hub.state.permits.permits
        assert self._mirror.permits.permits == live, "replay tells another story"

    def same_as_replayed(self) -> None:
        """Hold the live state against what the disk tells."""
        replayed = self._site.replayed()
        replayed.epoch = self._site.hub.state.epoch
        assert state.dump(replayed) == state.dump(self._site.hub.state)

    # --- one event ------------------------------------------------------------

    def _permit(self, permit_id: str) -> PermitRecord | None:
        return self._mirror.permits.permits.get(permit_id)

    def _judge(self, body: Event, wrapped: Envelope) -> None:
        permit_id = str(getattr(body, "permit_id", ""))
        permit = self._permit(permit_id)
        before = permit.status if permit is not None else None
        if permit is not None:
            self._before(body, wrapped, permit)
        fold.replay(self._mirror, wrapped)
        permit = self._permit(permit_id)
        if permit is not None:
            if before is not None:
                self._moved(body, before, permit.status)
            self._after(body, wrapped, permit)

    def _before(self, body: Event, wrapped: Envelope, permit: PermitRecord) -> None:
        if isinstance(body, e.PermitSigned):
            assert body.content == permit.life.content, "signed another content"
            assert body.slot not in permit.life.signed
            assert wrapped.cause.proof is not None
        if isinstance(body, p.PermitReleased):
            self._released(body, wrapped, permit)
        if isinstance(body, e.PermitEvent) and body.effect_ is Effect.PERMISSIVE:
            assert wrapped.cause.actor.startswith("person:"), body
            assert wrapped.cause.proof is not None, body

    def _released(
        self, body: p.PermitReleased, wrapped: Envelope, permit: PermitRecord
    ) -> None:
        """No release without who may, and the re-test that its holds owe."""
        assert wrapped.cause.actor == f"person:{body.person_id}"
        assert wrapped.cause.proof is not None
        roles = self._site.kernel.access.roles(body.person_id)
        codes = {self._holds[hold][1].code for hold in body.hold_ids}
        own = codes == {"restart_unverified"} and body.person_id == permit.guardian_id
        assert roles & {"safety_officer", "owner"} or own, (body.person_id, codes)
        assert set(body.hold_ids) == set(permit.holds)
        for hold_id in body.hold_ids:
            seq, hold = self._holds[hold_id]
            for word in hold.retest:
                for gas in GASES[word]:
                    assert self._passed(permit.id, gas, seq), (hold, gas)

    def _passed(self, permit_id: str, gas: str, since: int) -> bool:
        samples = [
            sample
            for seq, test in self._tests.get(permit_id, ())
            for sample in test.samples
            if seq > since and sample.gas == gas and sample.evidence
        ]
        return bool(samples) and samples[-1].verdict == "passed"

    def _moved(self, body: Event, before: PermitStatus, after: PermitStatus) -> None:
        """Status moves along the table only."""
        told = (type(body).__name__, str(before), str(after))
        if isinstance(body, p.PermitHeld):
            assert before not in PREPARING, told
            assert after is (S.HELD if before in RUNNING else before), told
        elif isinstance(body, e.PermitUnapproved):
            assert after is (S.ANALYSED if before in PREPARING else before), told
        elif isinstance(body, e.BriefingTaken):
            assert (before, after) == (S.APPROVED, S.BRIEFED) or before == after, told
        elif type(body) in _MOVES:
            sources, targets = _MOVES[type(body)]
            assert before in sources, told
            assert after in targets, told
        else:
            assert before == after, told

    def _after(self, body: Event, wrapped: Envelope, permit: PermitRecord) -> None:
        if isinstance(body, p.PermitHeld):
            self._holds[body.hold.id] = (wrapped.seq, body.hold)
        elif isinstance(body, GasTested):
            self._tests.setdefault(permit.id, []).append((wrapped.seq, body))
        if isinstance(body, _GOES_ON):
            self.permitted[permit.id] = wrapped.seq
        self._frozen(body, permit)

    def _frozen(self, body: Event, permit: PermitRecord) -> None:
        """Nothing signed is altered: neither its content nor its signatures."""
        signed = {slot: each.event_id for slot, each in permit.life.signed.items()}
        before = self._signed.get(permit.id, {})
        taken = body.slot if isinstance(body, e.PermitUnapproved) else ""
        for slot, event_id in before.items():
            assert slot == taken or signed.get(slot) == event_id, (slot, body)
        self._signed[permit.id] = signed
        if not signed:
            self._contents.pop(permit.id, None)
            return
        content = self._contents.setdefault(permit.id, permit.life.content)
        assert permit.life.content == content, f"{body} changed what was signed"
        for each in permit.life.signed.values():
            assert each.content == content
