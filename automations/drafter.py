"""The drafting worker: one question on standard input, one answer on standard output.

The gateway starts it for each question, as it starts no YAML itself: a file that is
a bomb ends this process, not the page.
"""

import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from automations import rule_words, trust, vectors
from automations.blueprint import Blueprint, read
from automations.drafting import Desk
from automations.pinning import STORE, Library, keep
from core import config
from core.api.errors import ConfigError
from core.api.said import Said, lines
from core.config import Bundle
from core.processes import drafts
from core.processes.drafts import Answer, Ask, Card, InputCard, RuleLines
from core.texts.sentences import both

#: Bounds of one question: bytes of memory, seconds of processor.
_MEMORY, _SECONDS = 768 << 20, 60


def answer(ask: Ask) -> Answer:
    """Return the answer to one question."""
    bundle = config.load(ask.bundle)
    data = Path(ask.data)
    try:
        if ask.op == "book":
            return book(data, bundle)
        if ask.op == "import":
            return Answer(cards=[_import(ask, data, bundle)])
        if ask.wish is None:
            raise ConfigError("there is no wish to make a draft of")
        made = Desk(data, ask.base, bundle, ask.state).draft(ask.wish, ask.by)
        drafts.save(data, made)
        return Answer(draft=made)
    except ConfigError as bad:
        return Answer(problem=both(bad))


def book(data: Path, bundle: Bundle) -> Answer:
    """Return every blueprint's newest version, and what the armed rules do.

    A file that is wrong hides no other.
    """
    library = Library(store=data / STORE, publishers=bundle.publishers)
    found, wrong = Answer(), []
    for name in library.names():
        try:
            blueprint = library.latest(name)
            if blueprint is not None:
                found.cards.append(_card(blueprint, library.signer(blueprint)))
        except ConfigError as bad:
            wrong.append(bad.message)
    found.problem = both(lines(wrong)) if wrong else None
    there = {card.id: card for card in found.cards}
    for rule in bundle.rules:
        card = there.get(rule.blueprint)
        found.rules.append(
            RuleLines(
                id=rule.id,
                zh=rule_words.lines(rule, "zh"),
                en=rule_words.lines(rule, "en"),
                newer=card.version if card and card.hash != rule.blueprint_hash else "",
            )
        )
    return found


def _import(ask: Ask, data: Path, bundle: Bundle) -> Card:
    """Check an uploaded blueprint and put it into the hub's store."""
    library = Library(store=data / STORE, publishers=bundle.publishers)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "blueprint.yaml")
        file.write_text(ask.text, "utf-8")
        if ask.signature:
            trust.beside(file).write_text(ask.signature, "utf-8")
        made = read(file, file.name)
        signer = library.signer(made)
        there = library.latest(made.id)
        if there and there.version == made.version and there.hash != made.hash:
            raise made.document.error(
                ("blueprint", "version"),
                Said(
                    "the hub has another {id} {version}: raise the version",
                    id=made.id,
                    version=made.version,
                ),
            )
        for outcome in vectors.run_all(made):
            if outcome.problems:
                said = vectors.failing(made.id, outcome).message
                raise made.document.error(("tests",), said)
        keep(made, data / STORE)
    return _card(made, signer)


def _card(blueprint: Blueprint, signer: str) -> Card:
    names, about = blueprint.names, blueprint.description
    return Card(
        id=blueprint.id,
        version=blueprint.version,
        hash=blueprint.hash,
        zh=names.zh,
        en=names.en,
        about_zh=about.zh,
        about_en=about.en,
        life_safety=blueprint.life_safety,
        clauses=blueprint.clauses,
        signer=signer,
        tests=len(blueprint.tests),
        inputs=[_input(name, spec) for name, spec in blueprint.inputs.items()],
    )


def _input(name: str, spec: dict[str, Any]) -> InputCard:
    selector, nothing = spec["selector"], {"zh": "", "en": ""}
    told, section = spec.get("description", nothing), spec.get("section", nothing)
    return InputCard(
        id=name,
        zh=spec["name"]["zh"],
        en=spec["name"]["en"],
        help_zh=told["zh"],
        help_en=told["en"],
        section_zh=section["zh"],
        section_en=section["en"],
        kind=selector["kind"],
        multiple=selector.get("multiple", False),
        min=selector.get("min"),
        max=selector.get("max"),
        unit=selector.get("unit", ""),
        required="default" not in spec,
        default=spec.get("default"),
    )


def main() -> int:
    """Answer the question on standard input; exit status 0 when it was one."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    try:
        ask = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Ask)
    except msgspec.MsgspecError as bad:
        sys.stderr.write(f"drafter: {bad}\n")
        return 2
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer(ask)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
