"""``safehold plans``: list and test the plans and checklists; look at a site's."""

import argparse
import sys
from pathlib import Path

from automations import book_vectors, books
from automations.compile_site import compile_folder
from core.api.errors import ConfigError
from core.api.said import sentence
from core.texts.sentences import say
from core.texts.tool import Tool


def main(argv: list[str]) -> int:
    """Run one subcommand; 0 is well, 1 a test that fails, 2 a file that is wrong."""
    tool = Tool("plans", "Emergency plans and checklists as data.")
    tool.add("list", _list, "list the shipped ones")
    test = tool.add("test", _test, "run the tests that they carry")
    test.add_argument("files", nargs="*", help="files, in a folder plans or checklists")
    test.add_argument("--all", action="store_true", help="every shipped one")
    check = tool.add("check", _check, "name the alarms that no plan answers")
    check.add_argument("folder", help="the site's configuration folder")
    return tool.run(argv)


def _shipped() -> list[Path]:
    return [*books.shipped(books.PLANS), *books.shipped(books.CHECKLISTS)]


def _list(_: argparse.Namespace) -> int:
    for file in _shipped():
        plan = file.parent.name == books.PLANS
        each = books.read_plan(file)[0] if plan else books.read_checklist(file)[0]
        _say(f"{file.parent.name:<12}{each.id:<24}{each.version:<8}{each.names.en}")
    return 0


def _test(options: argparse.Namespace) -> int:
    files = _shipped() if options.all else [Path(name) for name in options.files]
    if not files:
        raise ConfigError("name files, or give --all")
    passed = failed = 0
    for file in files:
        outcomes = book_vectors.run_file(file)
        bad = [each for each in outcomes if each.problems]
        passed, failed = passed + len(outcomes) - len(bad), failed + len(bad)
        word = "FAILED" if bad else "ok"
        good = len(outcomes) - len(bad)
        _say(f"{file.stem:<30}{good:>3} of {len(outcomes):>2}  {word}")
        for each in bad:
            _say(f"  {each.name}: {say(sentence(each.problems[0]), options.language)}")
    _say(f"{len(files)} files, {passed} tests passed, {failed} failed")
    return 1 if failed else 0


def _check(options: argparse.Namespace) -> int:
    bundle = compile_folder(Path(options.folder))
    for plan in bundle.plans:
        where = ", ".join(plan.zones) or "all zones"
        _say(f"{plan.id:<24}{plan.version:<8}{', '.join(plan.alarms)} in {where}")
    warned = books.warnings(bundle)
    for line in warned:
        _say(say(line, options.language))
    return 1 if warned else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
