"""``safehold blueprint upgrade | rollback | pins | sign | key``."""

import argparse
import asyncio
import getpass
import sys
from pathlib import Path

from automations import trust
from automations.blueprint import read
from automations.command import (
    DRAFTED,
    NotArmed,
    ask_hub,
    in_force,
    put_in_force,
    read_bundle,
)
from automations.drafting import Desk
from automations.pinning import STORE, Library
from core import state as states
from core.api.errors import ConfigError
from core.api.said import Said
from core.processes.acts import ShowConfig
from core.processes.drafts import Draft, Wish, save
from core.processes.guest import NotRunning
from core.processes.state import Earlier
from core.state import SiteState
from core.texts.sentences import say
from core.texts.tool import Tool

_NOTHING_YET = "nothing is armed yet: --yes arms it, --draft lets another person look"


def add(tool: Tool) -> None:
    """Add the subcommands."""
    for word, said in (
        ("upgrade", "show what the newest version would do, and arm it with --yes"),
        ("rollback", "show the version before, and arm it with --yes"),
    ):
        made = tool.add(word, _move, said)
        made.add_argument("rule", help="id of the rule")
        made.add_argument("--data", required=True, help="folder of the hub's data")
        made.add_argument("--folder", default="", help="the site's own files")
        made.add_argument("--yes", action="store_true", help="arm it")
        made.add_argument(
            "--draft", action="store_true", help="let another person review it"
        )
        made.set_defaults(kind=word)
    pins = tool.add("pins", _pins, "list which version each rule runs")
    pins.add_argument("--data", required=True, help="folder of the hub's data")
    sign = tool.add("sign", _sign, "sign a blueprint as its publisher")
    sign.add_argument("file")
    sign.add_argument("--key", required=True, help="private key (PEM, Ed25519)")
    sign.add_argument("--publisher", required=True, help="id that sites know you by")
    key = tool.add("key", _key, "make a publisher's key")
    key.add_argument("file", help="where the private key goes")


def _move(options: argparse.Namespace) -> int:
    """Upgrade a rule or take it one step back; shows the difference first."""
    data = Path(options.data).resolve()
    try:
        base, armed = in_force(data)
        if armed is None:
            raise ConfigError(
                Said("no hub runs on {data}; start it, then ask again", data=data)
            )
        reply = asyncio.run(ask_hub(data, ShowConfig(rule=options.rule)))
    except (NotArmed, NotRunning, TimeoutError) as bad:
        raise ConfigError(Said("{bad}", bad=bad)) from bad
    state = SiteState()
    if "earlier" in reply.result:
        bundle, digest = (str(reply.result[k]) for k in ("earlier", "earlier_hash"))
        rules = read_bundle(data, bundle).rules
        was = next((r.version for r in rules if r.id == options.rule), "")
        state.hub.earlier[options.rule] = Earlier(
            bundle=bundle, version=was, hash=digest
        )
    desk = Desk(data, base, armed, states.dump(state))
    if options.folder:
        desk.library.folders = (Path(options.folder) / "blueprints",)
    desk.resolving = False
    draft = desk.draft(Wish(kind=options.kind, rule=options.rule), getpass.getuser())
    _show(draft, options.language)
    if draft.problems:
        return 2
    if options.draft:
        save(data, draft)
        _say(say(Said(DRAFTED, id=draft.id), options.language))
        return 0
    if not options.yes:
        _say(say(_NOTHING_YET, options.language))
        return 0
    return put_in_force(
        (data / "bundles" / f"{draft.hash}.bundle").read_bytes(), data, options.language
    )


def _show(draft: Draft, language: str) -> None:
    _say(f"{draft.rule}: {draft.blueprint} {draft.was_version} → {draft.version}")
    for line in draft.diff:
        if line.sign:
            _say(f"  {line.sign} {line.zh if language == 'zh' else line.en}")
    for each in draft.looser:
        _say(f"  looser: {each.part} {each.path}: {each.old} → {each.new}")
    passed = sum(not test.problems for test in draft.tests)
    tests = Said("its tests: {n} of {of} passed", n=passed, of=len(draft.tests))
    _say(say(tests, language))
    for problem in draft.problems:
        said = problem.zh if language == "zh" else problem.en
        sys.stderr.write(f"safehold blueprint: {said}\n")


def _pins(options: argparse.Namespace) -> int:
    """List rules as ``id blueprint@version#hash signer``."""
    data = Path(options.data).resolve()
    try:
        _, armed = in_force(data)
    except (NotArmed, TimeoutError) as bad:
        raise ConfigError(Said("{bad}", bad=bad)) from bad
    if armed is None:
        raise ConfigError(
            Said("no hub runs on {data}; start it, then ask again", data=data)
        )
    library = Library(store=data / STORE, publishers=armed.publishers)
    for rule in armed.rules:
        if not rule.blueprint:
            _say(f"{rule.id:<24} (no blueprint)")
            continue
        there = library.latest(rule.blueprint)
        newer = there is not None and there.hash != rule.blueprint_hash
        pin = f"{rule.blueprint}@{rule.version}#{rule.blueprint_hash[:12]}"
        note = f"  {there.version} is there" if there and newer else ""
        _say(f"{rule.id:<24} {pin}  {rule.signer or 'unsigned'}{note}")
    return 0


def _sign(options: argparse.Namespace) -> int:
    """Write the signature beside the file."""
    file = Path(options.file)
    blueprint = read(file)
    data = trust.sign(blueprint, options.publisher, trust.read_key(Path(options.key)))
    trust.beside(file).write_bytes(data)
    _say(f"{trust.beside(file)}: {blueprint.id} {blueprint.version} signed")
    return 0


def _key(options: argparse.Namespace) -> int:
    """Make a key; its public half is what sites list under ``publishers``."""
    file = Path(options.file)
    try:
        public = trust.new_key(file)
    except FileExistsError:
        raise ConfigError(
            Said("{file} is there already; name a new file", file=file)
        ) from None
    _say(f"publishers:\n  - {{id: your-name, key: {public}}}")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


__all__ = ["add"]
