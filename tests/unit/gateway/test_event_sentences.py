"""Every event has a sentence, and names people know stand in it instead of ids."""

from core import texts
from core.journal.events import EVENTS
from frontend_api.replica import load_rooms


def test_every_event_has_a_sentence() -> None:
    """Design §5: events carry codes, and every code has its sentence in zh and en."""
    load_rooms("events")
    catalogue = texts.catalogue()
    silent = {
        name
        for name in EVENTS
        if name.partition(".")[0] != "test"
        and not any(
            code == f"event.{name}" or code.startswith(f"event.{name}.")
            for code in catalogue
        )
    }
    assert not silent
