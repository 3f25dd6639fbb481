"""``safehold publish``: check a configuration folder, compile it, put it in force."""

import argparse
import asyncio
import sys
from pathlib import Path

import msgspec

from automations import books, drafting, rule_words
from automations.publish import Checked, check, store, summary
from core import config, texts
from core.api.errors import ConfigError
from core.api.said import Said
from core.link import messages as m
from core.people.acts import Act
from core.processes.acts import ArmConfig, ShowConfig
from core.processes.caller import LinkEnded, ask_core
from core.processes.guest import NotRunning, ask
from core.texts.sentences import add_option, reader, say

_ARM_S = 15.0
DRAFTED = "draft {id}: review it at the page, under Rules"


class NotArmed(Exception):
    """The hub refused a bundle, or did not answer; the last good one stays armed."""


def main(argv: list[str]) -> int:
    """Publish; exit status 0, 1 when the hub refuses, 2 when the files are wrong."""
    options = _options(argv)
    data = Path(options.data).resolve() if options.data else None
    try:
        base, armed = in_force(data, options.wait) if data else ("", None)
        found = check(Path(options.folder), armed, data, options.upgrade)
    except (ConfigError, OSError, NotArmed, TimeoutError) as bad:
        sys.stderr.write(f"{say(bad, options.language)}\n")
        return 2
    _write(Said("checked: {site}", site=summary(found.bundle)), options.language)
    _tell(found, armed, options.language)
    for line in books.warnings(found.bundle):
        _write(line, options.language)
    if options.check or data is None:
        return 0
    found.keep()
    if options.draft:
        made = drafting.of_files(data, base, armed or config.EMPTY, found.data)
        _write(Said(DRAFTED, id=made.id), options.language)
        return 0
    return put_in_force(
        found.data, data, options.language, wait_s=options.wait, folder=options.folder
    )


def _write(said: Said, language: str) -> None:
    sys.stdout.write(f"{say(said, language)}\n")


def put_in_force(
    bundle: bytes, data: Path, language: str, *, wait_s: float = 0.0, folder: str = ""
) -> int:
    """Store a bundle and arm it; returns the exit status, and says what came of it."""
    try:
        digest = store(bundle, data)
        asyncio.run(arm(data, digest, wait_s))
    except NotRunning as nobody:
        said = Said(
            "stored as {hash}, not armed: {nobody}; with '--config {folder}' it arms "
            "this at its start",
            hash=config.digest(bundle)[:12],
            nobody=nobody,
            folder=folder,
        )
        sys.stderr.write(f"{say(said, language)}\n")
        return 1
    except (NotArmed, OSError, TimeoutError) as bad:
        said = Said("not armed, the last good configuration stays: {bad}", bad=bad)
        sys.stderr.write(f"{say(said, language)}\n")
        return 1
    _write(Said("armed: {hash}", hash=digest[:12]), language)
    return 0


def in_force(data: Path, wait_s: float = 0.0) -> tuple[str, config.Bundle | None]:
    """Return what the running hub has armed; ("", None) when no hub runs.

    Raises NotArmed when it does not say, ConfigError when it cannot be read.
    """
    try:
        reply = asyncio.run(ask_hub(data, ShowConfig(), wait_s))
    except NotRunning:
        return "", None
    digest = str(reply.result.get("hash", ""))
    return digest, read_bundle(data, digest) if digest else None


def read_bundle(data: Path, digest: str) -> config.Bundle:
    """Return a stored bundle; raises ConfigError with the mend."""
    file = data / "bundles" / f"{digest}.bundle"
    try:
        return config.load(file.read_bytes())
    except (OSError, msgspec.MsgspecError, ValueError) as bad:
        raise ConfigError(
            Said("{file}: {bad}; publish that configuration again", file=file, bad=bad)
        ) from None


def _tell(found: Checked, armed: config.Bundle | None, language: str) -> None:
    """Say what differs from what is armed, and what stays behind its file."""
    for each in found.held:
        stays = Said(
            "{instance} stays at {blueprint} {pinned}; {there} is there: 'safehold "
            "blueprint upgrade {instance}' shows it",
            instance=each.instance,
            blueprint=each.blueprint,
            pinned=each.pinned,
            there=each.there,
        )
        _write(stays, language)
    if armed is None:
        return
    before = {rule.id: rule for rule in armed.rules}
    after = {rule.id: rule for rule in found.bundle.rules}
    for name in {**before, **after}:
        _show_diff(name, before.get(name), after.get(name), language)


def _show_diff(
    name: str, old: config.Rule | None, new: config.Rule | None, language: str
) -> None:
    """Write how a rule differs from the armed one, where it does."""
    lines = [line for line in rule_words.diff(old, new) if line.sign]
    if lines:
        _write(Said("rule {name}:", name=name), language)
    for line in lines:
        said = line.zh if language == "zh" else line.en
        sys.stdout.write(f"  {line.sign} {said}\n")


async def ask_hub(data: Path, act: Act, wait_s: float = 0.0) -> m.ActReply:
    """Ask the running hub for an act as its own system user.

    ``wait_s`` is how long a hub may still be starting. Raises NotRunning, NotArmed
    with the hub's own reason, or TimeoutError.
    """
    async with asyncio.timeout(_ARM_S + wait_s):
        while True:
            try:
                answer, socks = ask(data, {"op": "attach"})
            except NotRunning:
                if wait_s <= 0:
                    raise
            else:
                if answer["op"] == "done":
                    break
                if wait_s <= 0:
                    raise NotArmed(str(answer.get("detail", "the hub is starting")))
            wait_s -= 0.1
            await asyncio.sleep(0.1)
        try:
            reply = await ask_core("publish", act, socks)
        except LinkEnded as ended:
            raise NotArmed(str(ended)) from ended
    if not reply.ok:
        raise NotArmed(texts.render(reply.code, dict(reply.params), reader()))
    return reply


async def arm(data: Path, digest: str, wait_s: float = 0.0) -> None:
    """Ask the running hub to put a stored bundle in force; raises as `ask_hub`."""
    await ask_hub(data, ArmConfig(hash=digest), wait_s)


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="safehold publish",
        description="Check a configuration folder, compile it and put it in force.",
    )
    parser.add_argument("folder", help="folder with site.yaml and its companions")
    parser.add_argument("--data", default="", help="folder of the hub's data")
    parser.add_argument("--check", action="store_true", help="only check")
    parser.add_argument(
        "--draft", action="store_true", help="let another person review it at the page"
    )
    parser.add_argument(
        "--upgrade",
        action="append",
        default=[],
        metavar="RULE",
        help="let a rule go to the newest version of its blueprint; may be repeated",
    )
    parser.add_argument("--wait", type=float, default=0.0, help=argparse.SUPPRESS)
    add_option(parser)
    options = parser.parse_args(argv)
    if not options.check and not options.data:
        parser.error("--data names the hub's data folder (or give --check)")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
