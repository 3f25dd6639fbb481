"""Exit 0 when this Python is one that the bundle beside it carries packages for."""

import importlib.util
import sys
from pathlib import Path


def main() -> int:
    """Compare the running Python with the bundle's PYTHONS file."""
    carried = Path(sys.argv[1], "PYTHONS").read_text(encoding="ascii").split()
    running = "{}.{}".format(*sys.version_info)
    return 0 if running in carried and importlib.util.find_spec("venv") else 1


if __name__ == "__main__":
    sys.exit(main())
