"""What the tests of real processes share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.mounts import mount, unmount


@pytest.fixture
def journal_disk(tmp_path: Path) -> Iterator[Path]:
    """Give the journal a file system of its own."""
    folder = tmp_path / "data" / "journal"
    folder.mkdir(parents=True)
    if not mount("-t", "tmpfs", "-o", "size=32m", "none", str(folder)):
        pytest.skip("needs the right to mount a file system")
    yield folder
    unmount(str(folder))
