"""What support needs to see: counters and states, no picture, place or secret."""

from collections.abc import Sequence
from typing import Any

from integrations.camera.camera import Camera


def gather(cameras: Sequence[Camera]) -> dict[str, Any]:
    """Return the state of every camera."""
    return {"cameras": [camera.diagnostics() for camera in cameras]}
