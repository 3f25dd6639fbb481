"""File systems of a test's own, where the machine lets it mount one."""

import subprocess


def mount(*args: str) -> bool:
    """Mount, and say whether that was allowed."""
    done = subprocess.run(["mount", *args], capture_output=True, check=False)
    return done.returncode == 0


def unmount(folder: str) -> None:
    """Take a mount away, whoever still has files open in it."""
    subprocess.run(["umount", "-l", folder], check=True)
