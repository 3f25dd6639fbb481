"""The claim code: proof that the first owner stands at the hub's console."""

import os
import secrets
from pathlib import Path

from frontend_api.accounts import plain, typed_code

#: Under the data folder; `safehold run` and `safehold demo` print its content.
CLAIM_FILE = Path("secrets") / "claim-code"


def ensure(data: Path) -> str:
    """Return the claim code, made on the first run and kept 0600."""
    path = data / CLAIM_FILE
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text("ascii").strip()
    code = typed_code()
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(code + "\n")
        file.flush()
        os.fsync(file.fileno())
    return code


def matches(data: Path, offered: str) -> bool:
    """Compare an offered code in constant time; without a code nothing matches."""
    try:
        code = (data / CLAIM_FILE).read_text("ascii")
    except FileNotFoundError:
        return False
    return bool(plain(code)) and secrets.compare_digest(
        plain(code).encode(), plain(offered).encode()
    )


def used(data: Path) -> None:
    """Remove the code: the hub has its owner."""
    (data / CLAIM_FILE).unlink(missing_ok=True)
