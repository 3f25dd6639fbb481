"""``safehold pack``: list, check, test and compare permit packs."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from automations.compile_site import of_folder
from automations.packs.compile import find, shipped
from automations.packs.overlay import Assembled, assemble
from automations.packs.vectors import Counts, Suite
from core import config, texts
from core.api.errors import ConfigError
from core.api.said import Said, sentence
from core.permits.pack import Pack
from core.permits.pack_diff import compare
from core.permits.ways import Way, loosened
from core.processes.loosening import loosens
from core.texts.sentences import say as say_in
from core.texts.tool import Tool, Work

#: How the files of published bundles end.
_BUNDLE = ".bundle"


def main(argv: list[str]) -> int:
    """Run; 0 good, 1 a vector failed or something loosened, 2 the files are wrong."""
    tool = Tool("pack", "Check, test and compare permit packs.")
    told: dict[str, tuple[_Work, str]] = {
        "list": (_list, "the packs that come with the hub, or those of a site"),
        "check": (_check, "check packs and overlays on them"),
        "test": (_test, "run every vector and count them"),
    }
    for word, (work, text) in told.items():
        one = tool.add(word, _speaking(work), text)
        one.add_argument("pack", nargs="*", help="ids or folders; all by default")
        one.add_argument("--overlay", action="append", help="file laid on each pack")
        one.add_argument("--site", default="", help="folder: its packs as published")
    one = tool.add("diff", _speaking(_diff), "what is tighter, what is looser")
    one.add_argument("a", help="id, folder, or a published .bundle")
    one.add_argument("b", help="id, folder, an overlay file for A, or a .bundle")
    return tool.run(argv)


class _Speaker:
    """Write sentences of ``core/texts/packs.json`` in one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, code: str, **params: object) -> None:
        sys.stdout.write(texts.render(f"pack.{code}", params, self.language) + "\n")
        sys.stdout.flush()

    def name(self, pack: Pack) -> str:
        return pack.names.zh if self.language == "zh" else pack.names.en


_Work = Callable[[argparse.Namespace, _Speaker], int]


def _speaking(work: _Work) -> Work:
    """Return a subcommand's work that speaks the asked language."""
    return lambda options: work(options, _Speaker(options.language))


def _list(options: argparse.Namespace, say: _Speaker) -> int:
    for made in _chosen(options):
        _summary(made.pack, say)
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
    for made in _chosen(options):
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


def _chosen(options: argparse.Namespace) -> list[Assembled]:
    """Return the packs that a command is about: a site's as its bundle has them."""
    if options.site:
        made = of_folder(Path(options.site)).packs
        known = [each.pack.id for each in made]
        for name in options.pack:
            if name not in known:
                raise ConfigError(
                    Said(
                        "{site}: its permit_packs do not pick {name!r}; they pick "
                        "{join}",
                        site=options.site,
                        name=name,
                        join=", ".join(known) or "no pack",
                    )
                )
        return [e for e in made if not options.pack or e.pack.id in options.pack]
    return [
        _assemble(name, options.overlay) for name in options.pack or list(shipped())
    ]


def _assemble(name: str, overlays: list[str] | None) -> Assembled:
    return assemble(find(name), [Path(each) for each in overlays or ()])


def _test(options: argparse.Namespace, say: _Speaker) -> int:
    chosen = _chosen(options)
    failed = 0
    for number, made in enumerate(chosen, 1):
        say("testing", id=made.pack.id, number=number, of=len(chosen))
        counts = Counts()
        for failure in Suite(made.source, made.pack).run(counts):
            failed += 1
            got = say_in(sentence(failure.got), say.language)
            say("failed", place=failure.place, title=failure.title, got=got)
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
    if options.a.endswith(_BUNDLE) and options.b.endswith(_BUNDLE):
        return _bundles(Path(options.a), Path(options.b), say)
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


def _bundles(a: Path, b: Path, say: _Speaker) -> int:
    """Say what a published bundle loosens: for what ``config.loosen`` is needed."""
    found = loosens(_bundle(a), _bundle(b))
    for each in found:
        said = {name: getattr(each, name) for name in ("about", "path", "old", "new")}
        line = texts.render(f"loosening.{each.part}", said, say.language)
        say("loose.always" if each.always else "loose.work", line=line)
    say("loose_count", loose=len(found), always=sum(e.always for e in found))
    return 1 if found else 0


def _bundle(file: Path) -> config.Bundle:
    try:
        return config.load(file.read_bytes())
    except (msgspec.MsgspecError, ValueError) as bad:
        raise ConfigError(
            Said("{file}: no bundle of this release: {bad}", file=file, bad=bad)
        ) from None


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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
