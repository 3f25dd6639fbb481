"""What the tests of a permit prove, worked out once for each of its versions."""

from typing import Final, NamedTuple

from core.deadlines import Deadline
from core.permits.gas_limits import Verdict
from core.permits.gas_samples import Needed, share
from core.permits.gas_tests_events import GasSample
from core.permits.gas_tests_state import Latest
from core.permits.pack import GasLimit, Kind
from core.permits.state import PermitRecord

NORMAL_OXYGEN: Final = 20.9
SHARES: Final = {
    "oxygen": "oxygen_vol",
    "combustible": "flammable_lfl",
    "toxic": "toxic_limit_share",
}


class GasProof(NamedTuple):
    """Hold what the samples of one gas prove."""

    limit: GasLimit | None
    failed: bool
    """True: the newest sample of some place does not pass."""
    tested: bool
    """True: there is a sample that counts."""
    explained: bool
    """True: oxygen above its clause has a written cause."""
    amount: float | None
    """The worst amount as its fact shows it; None where it cannot be told."""
    samples: tuple[GasSample, ...]
    newest: tuple[Deadline, ...]
    """One of each boot: the newest sample that counts."""


class Proofs(NamedTuple):
    """Hold what all samples of a permit prove; only time and meters are left out."""

    gases: dict[str, GasProof]
    tested: bool
    places: bool
    retested: bool | None
    """None: no hold lies on the permit."""
    oldest: tuple[Deadline, ...]
    """One of each boot: the oldest sample that counts."""


def prove(
    permit: PermitRecord, kind: Kind, needed: Needed, *, check_cause: bool
) -> Proofs:
    """Return what the samples of a permit prove."""
    places: set[str] = set(kind.gas.places if kind.gas is not None else ())
    tests: dict[str, list[Latest]] = {gas: [] for gas in needed.limits}
    for latest in permit.gas.latest.values():
        if latest.sample.gas in tests:
            tests[latest.sample.gas].append(latest)
    proven = {
        gas: [each for each in found if each.sample.evidence]
        for gas, found in tests.items()
    }
    since = max((held.seq for held in permit.holds.values()), default=None)
    gases = {
        gas: _gas(needed.limits[gas], tests[gas], proven[gas], places, check_cause)
        for gas in needed.limits
    }
    tested = bool(proven) and all(proven.values())
    retested = since is not None and all(
        any(each.seq > since for each in found) for found in proven.values()
    )
    return Proofs(
        gases=gases,
        tested=tested,
        places=tested
        and all(
            places <= {each.sample.place for each in found} for found in proven.values()
        ),
        retested=retested if since is not None else None,
        oldest=_ends(
            [when for found in proven.values() for when in _counted(found, places)],
            newest=False,
        ),
    )


def passes(latest: Latest, *, check_cause: bool) -> bool:
    """Say whether a sample passes; above its clause only with switch and cause."""
    if latest.sample.verdict == Verdict.CHECK:
        return check_cause and bool(latest.cause.strip())
    return latest.sample.verdict == Verdict.PASSED


def worst(name: str, amounts: list[float]) -> float:
    """Return the amount that speaks most against the work."""
    if name == SHARES["oxygen"]:
        return max(amounts, key=lambda amount: abs(amount - NORMAL_OXYGEN))
    return max(amounts)


def _gas(
    limit: GasLimit | None,
    tests: list[Latest],
    proven: list[Latest],
    places: set[str],
    check_cause: bool,
) -> GasProof:
    samples = tuple(each.sample for each in tests)
    return GasProof(
        limit=limit,
        failed=not all(passes(each, check_cause=check_cause) for each in tests),
        tested=bool(tests),
        explained=any(
            each.sample.verdict == Verdict.CHECK and bool(each.cause.strip())
            for each in tests
        ),
        amount=_amount(limit, samples),
        samples=samples,
        newest=_ends(_counted(proven, places), newest=True),
    )


def _counted(proven: list[Latest], places: set[str]) -> list[Deadline]:
    """Return when the places that are needed were sampled, or else any place."""
    found = [s.sample.measured for s in proven if s.sample.place in places]
    return found or [s.sample.measured for s in proven]


def _amount(limit: GasLimit | None, samples: tuple[GasSample, ...]) -> float | None:
    if limit is None or not samples or not all(each.evidence for each in samples):
        return None
    amounts = [share(limit, each.value, each.unit) for each in samples]
    known = [amount for amount in amounts if amount is not None]
    if len(known) < len(amounts):
        return None
    return worst(SHARES[limit.gas_class], known)


def _ends(moments: list[Deadline], *, newest: bool) -> tuple[Deadline, ...]:
    """Return of each boot, and of each word on its clock, one moment: an end."""
    found: dict[tuple[str, bool], Deadline] = {}
    for when in sorted(moments, key=lambda when: when.start_mono_ns, reverse=newest):
        found.setdefault((when.boot_id, when.synced), when)
    return tuple(found.values())
