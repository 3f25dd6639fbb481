"""The documentation of the blueprints and of the language, written from the code.

``safehold blueprint pages`` writes it; a test fails when it is not in step.
"""

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import voluptuous as vol

from automations import schema_rule, schema_trigger
from automations.blueprint import SHIPPED, Blueprint, read
from automations.page_words import (
    ACTIONS,
    HEADS,
    NAMES_ZH,
    ON_UNKNOWN,
    TRIGGERS,
    WORDS,
)
from automations.scope import NAMES
from core import config
from core.api.documents import Input
from core.logic.truth import Truth, all_of, any_of, not_, vote

LANGUAGES = ("en", "zh")
FOLDER = Path(__file__).parent.parent / "docs" / "blueprints"
_TRUTHS = (Truth.TRUE, Truth.UNKNOWN, Truth.FALSE)


def pages() -> dict[str, str]:
    """Return every generated page by its file name."""
    found: dict[str, str] = {}
    shipped = blueprints()
    for language in LANGUAGES:
        end = "" if language == "en" else ".zh-CN"
        found[f"README{end}.md"] = _index(shipped, language)
        found[f"language{end}.md"] = _language(language)
        for each in shipped:
            found[f"{each.id}{end}.md"] = page(each, language)
    return found


@functools.cache
def blueprints() -> tuple[Blueprint, ...]:
    """Return the shipped blueprints, read once."""
    return tuple(read(file) for file in sorted(SHIPPED.glob("*.yaml")))


def page(blueprint: Blueprint, language: str) -> str:
    """Return one blueprint's page."""
    head = HEADS[language]
    lines = [
        f"# {_said(blueprint.names, language)}",
        "",
        f"`{blueprint.id}` {blueprint.version}"
        + (f" · {head['life_safety']}" if blueprint.life_safety else ""),
        "",
        _said(blueprint.description, language),
        "",
        *_section(head["inputs"], _inputs(blueprint, language)),
        *_section(head["starts"], _triggers(blueprint, language)),
        *_section(head["does"], _actions(blueprint.body["actions"], language)),
        *_section(
            head["unknown"], [ON_UNKNOWN[language][blueprint.body["on_unknown"]]]
        ),
        *_section(head["clauses"], [f"- {each}" for each in blueprint.clauses]),
        *_section(head["use"], _usage(blueprint)),
        *_section(head["tests"], _tests(blueprint, language)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _said(names: config.Names, language: str) -> str:
    return " ".join((names.zh if language == "zh" else names.en).split())


def _name(given: dict[str, str] | str, language: str) -> str:
    return given if isinstance(given, str) else str(given[language])


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f"## {title}", "", *lines, ""] if lines else []


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|")


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    return [
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *("| " + " | ".join(map(_cell, row)) + " |" for row in rows),
    ]


# --- one blueprint ------------------------------------------------------------------


def _inputs(blueprint: Blueprint, language: str) -> list[str]:
    rows = []
    for name, spec in blueprint.inputs.items():
        selector = dict(spec["selector"])
        kind = str(selector.pop("kind"))
        if selector.pop("multiple", False):
            kind += " …"
        limits = ", ".join(f"{k} {v:g}" for k, v in selector.items())
        default = f"`{_flat(spec['default'])}`" if "default" in spec else "–"
        said = _name(spec["name"], language)
        rows.append((f"`{name}`", said, f"{kind} {limits}".strip(), default))
    return _table(HEADS[language]["columns"].split("|"), rows) if rows else []


def _flat(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_flat, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _given(value: Any) -> str:
    if isinstance(value, Input):
        return f"`{value.name}`"
    if isinstance(value, list):
        return ", ".join(_given(each) for each in value)
    return _flat(value)


def _triggers(blueprint: Blueprint, language: str) -> list[str]:
    lines = []
    for each in blueprint.body["triggers"]:
        word = str(each["trigger"])
        facts = [
            f"{key} {_given(value)}"
            for key, value in each.items()
            if key not in ("trigger", "id")
        ]
        said = TRIGGERS[language][word]
        lines.append(f"- {said}: {'; '.join(facts)}" if facts else f"- {said}")
    if "conditions" in blueprint.body:
        only = HEADS[language]["only_if"]
        lines.append(f"- {only} `{_given(blueprint.body['conditions'])}`")
    return lines


def _actions(steps: list[dict[str, Any]], language: str, deep: int = 0) -> list[str]:
    lines = []
    for each in steps:
        facts = [
            f"{key} {_given(value)}"
            for key, value in each.items()
            if key not in ("action", "id", "then", "else", "do", "on_failure")
        ]
        said = ACTIONS[language][str(each["action"])]
        tail = f": {'; '.join(facts)}" if facts else ""
        lines.append(f"{'  ' * deep}- {said}{tail}")
        for branch in ("then", "else", "do", "on_failure"):
            if branch in each:
                lines.append(f"{'  ' * (deep + 1)}- {WORDS[language][branch]}")
                lines += _actions(each[branch], language, deep + 2)
    return lines


def _usage(blueprint: Blueprint) -> list[str]:
    needed = [n for n, spec in blueprint.inputs.items() if "default" not in spec]
    example = {"zones": "[pit]", "chain": "gas"}
    given = ", ".join(f"{n}: {example.get(n, '…')}" for n in needed)
    lines = ["```yaml", "automations:", f"  - id: {blueprint.id}-1"]
    lines.append(f"    blueprint: {blueprint.id}")
    if given:
        lines.append(f"    input: {{{given}}}")
    return [*lines, "```"]


def _tests(blueprint: Blueprint, language: str) -> list[str]:
    return [f"- {_name(each.get('name', '?'), language)}" for each in blueprint.tests]


def _index(shipped: Sequence[Blueprint], language: str) -> str:
    head, end = HEADS[language], "" if language == "en" else ".zh-CN"
    rows = [
        (
            f"[{_said(each.names, language)}]({each.id}{end}.md)",
            f"`{each.id}`",
            head["life_safety"] if each.life_safety else "",
            len(each.tests),
        )
        for each in shipped
    ]
    lines = [
        f"# {head['index']}",
        "",
        head["intro"].format(count=len(shipped), end=end),
        "",
        *_table(head["index_columns"].split("|"), rows),
    ]
    return "\n".join(lines) + "\n"


# --- the language -------------------------------------------------------------------


def _language(language: str) -> str:
    head = HEADS[language]
    lines = [
        f"# {head['language']}",
        "",
        head["language_intro"],
        "",
        *_section(
            head["triggers"],
            list(_words_of(schema_trigger.FIELDS, TRIGGERS[language], language)),
        ),
        *_section(
            head["actions"],
            list(_words_of(schema_rule.FIELDS, ACTIONS[language], language)),
        ),
        *_section(head["names"], _names(language)),
        *_section(
            head["fusion"],
            [
                head["fusion_text"],
                "",
                ", ".join(f"`{each}`" for each in (*schema_trigger.FUSIONS, "2oo3")),
            ],
        ),
        *_section(head["truth"], [head["truth_text"], "", *_truth_tables(language)]),
        *_section(
            head["unknown"],
            [f"- `{k}`: {v}" for k, v in ON_UNKNOWN[language].items()],
        ),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _names(language: str) -> list[str]:
    said = NAMES if language == "en" else NAMES_ZH
    return [f"- `{name}`: {said[name]}" for name in NAMES]


def _words_of(
    fields: dict[str, dict[Any, Any]], said: dict[str, str], language: str
) -> Iterator[str]:
    for word, known in fields.items():
        if word == "zone":
            continue
        keys = ", ".join(f"`{_key(key)}`" for key in known)
        must = [_key(key) for key in known if isinstance(key, vol.Required)]
        note = f" ({WORDS[language]['required']}: {', '.join(must)})" if must else ""
        yield f"- `{word}` {said[word]}" + (f": {keys}{note}" if keys else "")


def _key(key: Any) -> str:
    return str(getattr(key, "schema", key))


def _truth_tables(language: str) -> list[str]:
    names = WORDS[language]
    said = {t: names[t.name.lower()] for t in Truth}
    rows: list[list[object]] = []
    for a in _TRUTHS:
        for b in _TRUTHS:
            pair = (a, b)
            rows.append(
                [
                    said[a],
                    said[b],
                    said[not_(a)],
                    said[all_of(pair)],
                    said[any_of(pair)],
                ]
            )
    table = _table(("a", "b", "not a", "a and b", "a or b"), rows)
    votes = []
    for a in _TRUTHS:
        for b in _TRUTHS:
            for c in _TRUTHS:
                triple = (a, b, c)
                if (a.value, b.value, c.value) == tuple(
                    sorted((x.value for x in triple), reverse=True)
                ):
                    votes.append([*(said[x] for x in triple), said[vote(2, triple)]])
    return [*table, "", *_table(("a", "b", "c", "2oo3"), votes)]


def write(folder: Path = FOLDER) -> list[str]:
    """Write the pages that changed; remove those of blueprints that are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    changed = []
    for name, text in wanted.items():
        file = folder / name
        if not file.exists() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")
            changed.append(name)
    for file in folder.glob("*.md"):
        if file.name not in wanted:
            file.unlink()
            changed.append(file.name)
    return sorted(changed)
