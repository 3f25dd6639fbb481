"""``safehold pack``: list, check, test and compare permit packs."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from automations.packs.compile import find, shipped
from automations.packs.overlay import Assembled, assemble
from automations.packs.vectors import Counts, Suite
from core import texts
from core.api.errors import ConfigError
from core.permits.pack import Pack
from core.permits.pack_diff import compare
from core.permits.ways import Way, loosened


def main(argv: list[str]) -> int:
    """Run; 0 good, 1 a vector failed or something loosened, 2 the files are wrong."""
    options = _options(argv)
    say = _Speaker(options.lang)
    command: Callable[[argparse.Namespace, _Speaker], int] = options.run
    try:
        return command(options, say)
    except (ConfigError, OSError) as bad:
        sys.stderr.write(f"{bad}\n")
        return 2


class _Speaker:
    """Write sentences of ``core/texts/packs.json`` in one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, code: str, **params: object) -> None:
        sys.stdout.write(texts.render(f"pack.{code}", params, self.language) + "\n")
        sys.stdout.flush()

    def name(self, pack: Pack) -> str:
        return pack.names.zh if self.language == "zh" else pack.names.en


def _list(_options: argparse.Namespace, say: _Speaker) -> int:
    for name in shipped():
        pack = assemble(find(name)).pack
        _summary(pack, say)
    return 0


def _summary(pack: Pack, say: _Speaker) -> None:
    say(
        "summary",
        id=pack.id,
        version=pack.version,
        name=say.name(pack),
        kinds=len(pack.kinds),
        rules=len(pack.rules),
        forms=len(pack.forms),
        distances=len(pack.distances),
        settings=len(pack.settings),
        open=sum(setting.certainty == "L" for setting in pack.settings),
    )


def _check(options: argparse.Namespace, say: _Speaker) -> int:
    made = _assemble(options.pack, options.overlay)
    _summary(made.pack, say)
    for laid in made.laid:
        loose = loosened(laid.changes)
        say(
            "laid",
            overlay=laid.overlay.id,
            changes=len(laid.changes),
            loose=len(loose),
            by=", ".join(laid.overlay.loosened_by) or "–",
        )
    return 0


def _assemble(name: str, overlays: list[str] | None) -> Assembled:
    return assemble(find(name), [Path(each) for each in overlays or ()])


def _test(options: argparse.Namespace, say: _Speaker) -> int:
    names = options.pack or list(shipped())
    failed = 0
    for number, name in enumerate(names, 1):
        say("testing", id=name, number=number, of=len(names))
        made = _assemble(name, options.overlay)
        counts = Counts()
        for failure in Suite(made.source, made.pack).run(counts):
            failed += 1
            say("failed", place=failure.place, title=failure.title, got=failure.got)
        say(
            "counts",
            id=made.pack.id,
            rules=counts.rules,
            vectors=counts.vectors,
            ok=counts.permitting,
            breach=counts.breaching,
            unknown=counts.unknown,
            gas=counts.gas,
            base=counts.base,
        )
    say("test_failed" if failed else "test_passed", failed=failed)
    return 1 if failed else 0


def _diff(options: argparse.Namespace, say: _Speaker) -> int:
    old = _assemble(options.a, None).pack
    new = _other(options.a, options.b)
    changes = compare(old, new)
    for change in changes:
        way = f"pack.way.{change.way}"
        say(
            "change",
            way=texts.render(way, {}, say.language),
            path=change.path,
            old=change.old,
            new=change.new,
        )
    loose = len(loosened(changes))
    tight = sum(change.way is Way.TIGHTER for change in changes)
    say("diff", changes=len(changes), tight=tight, loose=loose)
    return 1 if loose else 0


def _other(base: str, other: str) -> Pack:
    """Return the pack of an id or folder, or the base with an overlay file laid on."""
    if not Path(other).is_file():
        return _assemble(other, None).pack
    from automations.packs.compile import compile_pack, lay, load_source

    # Shown, not accepted: what loosens is reported whoever answers for it.
    source = load_source(find(base))
    compile_pack(source)
    lay(source, Path(other))
    return compile_pack(source)


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="safehold pack", description="Check, test and compare permit packs."
    )
    zh = os.environ.get("LANG", "").lower().startswith("zh")
    parser.add_argument("--lang", choices=("zh", "en"), default="zh" if zh else "en")
    commands = parser.add_subparsers(required=True, metavar="list|check|test|diff")
    one = commands.add_parser("list", help="the packs that come with the hub")
    one.set_defaults(run=_list)
    one = commands.add_parser("check", help="check a pack and overlays on it")
    one.add_argument("pack", help="id or folder")
    one.add_argument(
        "--overlay", action="append", help="file; may stand more than once"
    )
    one.set_defaults(run=_check)
    one = commands.add_parser("test", help="run every vector and count them")
    one.add_argument("pack", nargs="*", help="ids or folders; all shipped by default")
    one.add_argument("--overlay", action="append", help="file laid on each of them")
    one.set_defaults(run=_test)
    one = commands.add_parser("diff", help="what is tighter, what is looser")
    one.add_argument("a", help="id or folder")
    one.add_argument("b", help="id, folder, or an overlay file for A")
    one.set_defaults(run=_diff)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
