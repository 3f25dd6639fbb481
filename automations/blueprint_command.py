"""``safehold blueprint``: list, show, test, sign, upgrade; write their pages."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from automations import pages, upgrade_command, vectors
from automations.blueprint import SHIPPED, Blueprint, find, read
from core.api.documents import read as read_yaml
from core.api.errors import ConfigError
from core.api.said import Said, sentence
from core.texts.sentences import say
from core.texts.tool import Tool


def main(argv: list[str]) -> int:
    """Run one subcommand; 0 is well, 1 a test that fails, 2 a file that is wrong."""
    tool = Tool("blueprint", "Look at blueprints and run their tests.")
    tool.add("list", _list, "list the shipped blueprints")
    show = tool.add("show", _show, "show a blueprint's page")
    show.add_argument("name", help="id of a blueprint, or a file")
    test = tool.add("test", _test, "run the tests that blueprints carry")
    test.add_argument("names", nargs="*", help="ids or files")
    test.add_argument("--all", action="store_true", help="every shipped one")
    foreign = tool.add(
        "import", _import, "convert a Home Assistant automation blueprint"
    )
    foreign.add_argument("file", help="its YAML file")
    foreign.add_argument("--id", default="", help="id of the blueprint made")
    written = tool.add("pages", _pages, "write docs/blueprints anew")
    written.add_argument("--check", action="store_true", help="only compare")
    upgrade_command.add(tool)
    return tool.run(argv)


def _open(name: str) -> Blueprint:
    file = Path(name) if name.endswith(".yaml") else find(name, ())
    if file is None:
        raise ConfigError(
            Said("there is no blueprint {name!r}; 'list' names them", name=name)
        )
    return read(file)


def _list(_: argparse.Namespace) -> int:
    for file in sorted(SHIPPED.glob("*.yaml")):
        blueprint = read(file)
        _say(f"{blueprint.id:<30}{blueprint.version:<8}{blueprint.names.en}")
    return 0


def _show(options: argparse.Namespace) -> int:
    _say(pages.page(_open(options.name), options.language).rstrip())
    return 0


def _test(options: argparse.Namespace) -> int:
    names: Sequence[str] = options.names
    if options.all:
        names = [file.stem for file in sorted(SHIPPED.glob("*.yaml"))]
    if not names:
        raise ConfigError("name a blueprint or a file, or give --all")
    passed = failed = 0
    for name in names:
        blueprint = _open(name)
        outcomes = vectors.run_all(blueprint)
        bad = [each for each in outcomes if each.problems]
        passed += len(outcomes) - len(bad)
        failed += len(bad)
        word = "ok" if not bad else "FAILED"
        good = len(outcomes) - len(bad)
        _say(f"{blueprint.id:<30}{good:>3} of {len(outcomes):>2}  {word}")
        for each in bad:
            _say(f"  {each.name}: {say(sentence(each.problems[0]), options.language)}")
    _say(f"{len(names)} blueprints, {passed} tests passed, {failed} failed")
    return 1 if failed else 0


def _import(options: argparse.Namespace) -> int:
    """Write what could be converted to standard output, the rest line by line."""
    from automations.import_ha import Importer, dump

    file = Path(options.file)
    document = read_yaml(file)
    if not isinstance(document.data, dict) or "blueprint" not in document.data:
        raise document.error((), "no Home Assistant blueprint: 'blueprint:' is missing")
    importer = Importer(document)
    made = importer.convert(options.id or file.stem.lower().replace(" ", "-"))
    sys.stdout.write(dump(made))
    for note in importer.notes:
        said = say(sentence(note.text), options.language)
        sys.stderr.write(f"{file}:{note.line}:{note.column}: {said}\n")
    left = "write its tests, and what on_unknown is to do, before using it"
    sys.stderr.write(f"{say(left, options.language)}\n")
    return 1 if importer.notes else 0


def _pages(options: argparse.Namespace) -> int:
    if not options.check:
        for name in pages.write():
            _say(f"written: {name}")
        return 0
    stale = [
        name
        for name, text in pages.pages().items()
        if not (pages.FOLDER / name).exists()
        or (pages.FOLDER / name).read_text("utf-8") != text
    ]
    for name in stale:
        _say(f"not in step: {name}")
    return 1 if stale else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
