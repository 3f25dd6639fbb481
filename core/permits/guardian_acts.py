"""How a guardian answers 'are you there?'."""

from core.people.acts import Act, Id, act


@act("guardian.here", "guardian", "supervisor", "worker", signed=True)
class GuardianHere(Act, frozen=True, kw_only=True):
    """Say that one is at the work; only evidence of the place resets the clock."""

    permit_id: Id
