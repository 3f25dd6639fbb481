"""What a device's signed statement says of itself; no cryptography.

Apart from the judgement of signatures, so that a process that only follows the
journal (the notifier) carries none of it: 5 MB.
"""

import msgspec


class Said(msgspec.Struct, frozen=True):
    """Read of a statement what `verify` needs."""

    hub: str
    person: str
    verb: str
    at: int
    """Wall milliseconds of the device."""
    method: str = "key"
    witness: str = ""


_said = msgspec.json.Decoder(Said)


def said(data: bytes) -> Said:
    """Return a statement's head; raises msgspec.MsgspecError or ValueError."""
    return _said.decode(data)
