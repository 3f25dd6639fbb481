"""What a person may do to prove an output: switch it, then say what it did."""

from core.journal.envelope import Effect
from core.people.acts import Act, Id, act
from core.response.tasks_acts import Note

_TESTERS = ("maintainer", "marshal", "guardian", "supervisor", "safety_officer")


@act("output.proof_test", "maintainer", "supervisor", "safety_officer")
class StartProof(Act, frozen=True, kw_only=True):
    """Switch an output on to prove it; refused while the zone is in danger."""

    entity_id: Id


@act("output.proof_passed", *_TESTERS, effect=Effect.PERMISSIVE)
class PassProof(Act, frozen=True, kw_only=True):
    """Say that the output was heard, seen or felt on site in the running test."""

    entity_id: Id


@act("output.proof_failed", *_TESTERS, effect=Effect.PROTECTIVE)
class FailProof(Act, frozen=True, kw_only=True):
    """Say that the output did not do what it was told."""

    entity_id: Id
    reason: Note = ""
