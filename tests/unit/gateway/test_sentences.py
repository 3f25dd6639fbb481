"""Every event and refusal has words in both languages."""

from core import texts
from core.journal.events import EVENTS
from frontend_api.replica import load_rooms


def test_every_event_type_has_a_sentence() -> None:
    load_rooms("events")
    catalogue = texts.catalogue()
    for name in EVENTS:
        found = [
            c
            for c in catalogue
            if c == f"event.{name}" or c.startswith(f"event.{name}.")
        ]
        assert found, f"core/texts/gateway.json lacks event.{name}"


def test_the_gateways_sentences_have_both_languages() -> None:
    for code, sentences in texts.catalogue().items():
        if code.startswith(("gateway.", "event.")):
            assert sentences["zh"] and sentences["en"], code
            names = [
                {part.partition("}")[0] for part in sentences[one].split("{")[1:]}
                for one in ("zh", "en")
            ]
            assert names[0] == names[1], code
