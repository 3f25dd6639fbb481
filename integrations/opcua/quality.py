"""OPC UA status codes → qualities; pure, total over all 32-bit codes.

Source: OPC 10000-4 7.39 (severity, limit and semantics bits), OPC 10000-8 6.3.
"""

from typing import NamedTuple

from core.api import Quality


class Verdict(NamedTuple):
    """Say how far a value can be believed, and the code of why not further."""

    quality: Quality
    reason: str


GOOD = Verdict(Quality.GOOD, "")
BAD = Verdict(Quality.FAULT, "opcua.bad")
UNCERTAIN = Verdict(Quality.UNCERTAIN, "opcua.uncertain")
SEMANTICS = Verdict(Quality.UNCERTAIN, "opcua.semantics_changed")
CONSTANT = Verdict(Quality.UNCERTAIN, "opcua.constant")
LIMITED = Verdict(Quality.UNCERTAIN, "opcua.limited")

_SUBCODE = 0xFFFF0000
_SEMANTICS_CHANGED = 0x4000
_DATA_VALUE_INFO, _INFO_TYPE = 0x0400, 0x0C00
_LIMITS, _CONSTANT = 0x0300, 0x0300

_LAST_USABLE = Verdict(Quality.STALE, "opcua.last_usable")
_LIMIT_OF_SENSOR = Verdict(Quality.UNCERTAIN, "opcua.sensor_limit")
_BY_HAND = Verdict(Quality.UNCERTAIN, "opcua.by_hand")
_SIMULATED = Verdict(Quality.UNCERTAIN, "opcua.simulated")
_NO_LINK = Verdict(Quality.FAULT, "opcua.source_lost")
_NO_NODE = Verdict(Quality.NOT_PRESENT, "opcua.no_such_node")
_NO_DATA = Verdict(Quality.NOT_PRESENT, "opcua.no_data")
_FORBIDDEN = Verdict(Quality.FAULT, "opcua.forbidden")

#: What differs from its severity's plain meaning, by the upper half of the code.
SUBCODES: dict[int, Verdict] = {
    # Good, and yet no proof.
    0x00960000: _BY_HAND,  # GoodLocalOverride
    0x00300000: _LIMIT_OF_SENSOR,  # GoodClamped
    0x00A50000: _NO_DATA,  # GoodNoData
    # Uncertain.
    0x40900000: _LAST_USABLE,  # UncertainLastUsableValue
    0x408F0000: _LAST_USABLE,  # UncertainNoCommunicationLastUsableValue
    0x40910000: Verdict(Quality.UNCERTAIN, "opcua.substitute"),
    0x40920000: Verdict(Quality.STALE, "opcua.initial_value"),
    0x40930000: _LIMIT_OF_SENSOR,  # UncertainSensorNotAccurate
    0x40940000: _LIMIT_OF_SENSOR,  # UncertainEngineeringUnitsExceeded
    0x40950000: Verdict(Quality.UNCERTAIN, "opcua.sub_normal"),
    0x42080000: _BY_HAND,  # UncertainTransducerInManual
    0x42090000: _SIMULATED,  # UncertainSimulatedValue
    0x420A0000: Verdict(Quality.UNCERTAIN, "opcua.sensor_calibration"),
    # Bad.
    0x808C0000: Verdict(Quality.FAULT, "opcua.sensor_failure"),
    0x808B0000: Verdict(Quality.FAULT, "opcua.device_failure"),
    0x80890000: Verdict(Quality.FAULT, "opcua.configuration"),
    0x808A0000: _NO_LINK,  # BadNotConnected
    0x80310000: _NO_LINK,  # BadNoCommunication
    0x80050000: _NO_LINK,  # BadCommunicationError
    0x800D0000: _NO_LINK,  # BadServerNotConnected
    0x800C0000: _NO_LINK,  # BadShutdown
    0x808D0000: Verdict(Quality.INHIBITED, "opcua.out_of_service"),
    0x803C0000: Verdict(Quality.FAULT, "opcua.out_of_range"),
    0x80320000: Verdict(Quality.NOT_PRESENT, "opcua.waiting"),
    0x809B0000: _NO_DATA,  # BadNoData
    0x80B10000: _NO_DATA,  # BadNoDataAvailable
    0x80340000: _NO_NODE,  # BadNodeIdUnknown
    0x80330000: _NO_NODE,  # BadNodeIdInvalid
    0x803E0000: _NO_NODE,  # BadObjectDeleted
    0x801F0000: _FORBIDDEN,  # BadUserAccessDenied
    0x803A0000: _FORBIDDEN,  # BadNotReadable
}
_SEVERITIES = (GOOD, UNCERTAIN, BAD, BAD)


def judge(status: int) -> Verdict:
    """Return what a status code says of the value that came with it.

    Limit bits count only where the code says that they are set: a value that is
    held constant, or that has reached a limit, proves nothing.
    """
    status &= 0xFFFFFFFF
    verdict = SUBCODES.get(status & _SUBCODE, _SEVERITIES[status >> 30])
    if verdict is not GOOD:
        return verdict
    if status & _SEMANTICS_CHANGED:
        return SEMANTICS
    if status & _INFO_TYPE == _DATA_VALUE_INFO and status & _LIMITS:
        return CONSTANT if status & _LIMITS == _CONSTANT else LIMITED
    return GOOD
