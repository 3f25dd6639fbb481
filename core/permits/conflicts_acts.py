"""What a person may ask about simultaneous work."""

from core.people.acts import Act, Word, act


@act(
    "permit.conflicts",
    *("worker", "guardian", "supervisor", "marshal", "issuer", "safety_officer"),
    *("maintainer", "auditor"),
)
class ShowConflicts(Act, frozen=True, kw_only=True):
    """Show what stands too near a permit's work: clauses, distances, both shapes."""

    permit_id: Word
