"""Judge a gas test by a pack's limits, in the unit in which it was measured.

The trap: GB 30871 5.3.2 accepts in % by volume and meters show %LEL, so the same
%LEL is safe for one gas and twice too much for another. Every conversion goes by
the gas's own LEL or molar mass; without it the answer is UNKNOWN.
"""

import enum
import math
from typing import Final

from core.permits.pack import GasLimit

#: Litres of a mole of gas at 25 °C and 101.325 kPa.
_MOLAR_VOLUME: Final = 24.45
_LEL_SPLIT: Final = 4.0
#: For a gas whose LEL is not known, and for mixtures (GB 30871 5.3.2 b).
_STRICT_VOL: Final = 0.2


class Verdict(enum.StrEnum):
    """Say what a gas test proves."""

    PASSED = "passed"
    CHECK = "check"
    """Within what two persons allowed, once the cause is written down."""
    FAILED = "failed"
    UNKNOWN = "unknown"


_PASSED, _CHECK = Verdict.PASSED, Verdict.CHECK
_FAILED, _UNKNOWN = Verdict.FAILED, Verdict.UNKNOWN


def judge(
    limit: GasLimit | None,
    value: float,
    unit: str,
    *,
    rich: bool = False,
    check_cause: bool = False,
) -> Verdict:
    """Return what a value in ``unit`` proves (G1–G5).

    ``rich``: oxygen-rich surroundings (GB 30871 6.4). ``check_cause``: the site's
    switch for oxygen between the clause's upper limit and that of rich surroundings.
    """
    if limit is None or not math.isfinite(value) or value < 0:
        return _UNKNOWN
    amount = convert(limit, value, unit)
    if amount is None:
        return _UNKNOWN
    if limit.gas_class == "oxygen":
        return _oxygen(limit, amount, rich=rich, check_cause=check_cause)
    at_most = acceptance(limit)
    if at_most is None:
        return _UNKNOWN
    return _PASSED if amount <= at_most else _FAILED


def acceptance(limit: GasLimit) -> float | None:
    """Return the highest amount that passes: % by volume, or mg/m³ for toxics."""
    if limit.gas_class == "oxygen":
        return limit.high_vol
    if limit.gas_class == "toxic":
        given = [v for v in (limit.mac, limit.twa) if v is not None]
        return min(given) if given else limit.stel
    if limit.accept_vol is None:
        return None
    # 0.5 % belongs to a known LEL of 4 % or more; all else has the strict one.
    wide = limit.lel_vol is not None and limit.lel_vol >= _LEL_SPLIT
    return limit.accept_vol if wide else min(limit.accept_vol, _STRICT_VOL)


def acceptance_lel(limit: GasLimit) -> float | None:
    """Return a combustible gas's acceptance as its meter shows it, in %LEL."""
    at_most = acceptance(limit)
    if limit.gas_class != "combustible" or at_most is None or not limit.lel_vol:
        return None
    return at_most / limit.lel_vol * 100


def convert(limit: GasLimit, value: float, unit: str) -> float | None:
    """Return a value in the limit's own unit; None where that cannot be known."""
    if limit.gas_class == "toxic":
        if unit == "mg/m³":
            return value
        if not limit.molar_mass:
            return None
        ppm = {"ppm": value, "ppb": value / 1000, "%vol": value * 10_000}.get(unit)
        return None if ppm is None else ppm * limit.molar_mass / _MOLAR_VOLUME
    if unit == "%vol":
        return value
    if unit == "%LEL" and limit.lel_vol:
        return value * limit.lel_vol / 100
    if unit == "ppm":
        return value / 10_000
    return None


def _oxygen(
    limit: GasLimit, amount: float, *, rich: bool, check_cause: bool
) -> Verdict:
    low, high, most = limit.low_vol, limit.high_vol, limit.rich_high_vol
    if low is None or high is None:
        return _UNKNOWN
    if amount < low:
        return _FAILED
    if amount <= high:
        return _PASSED
    if most is None or amount > most:
        return _FAILED
    if rich:
        return _PASSED
    return _CHECK if check_cause else _FAILED
