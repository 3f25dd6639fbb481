"""The ``safehold`` command: each subcommand is one module, loaded when named."""

import importlib
import sys
from collections.abc import Callable, Sequence

#: Name → (module:function taking the arguments and returning the exit status, help).
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("core.commands.run:main", "run the hub on a data folder"),
    "demo": ("demo.command:main", "run the demonstration site"),
    "publish": ("automations.command:main", "check, compile and arm a configuration"),
    "blueprint": (
        "automations.blueprint_command:main",
        "list, show and test blueprints",
    ),
    "plans": (
        "automations.books_command:main",
        "list and test emergency plans and checklists",
    ),
    "backtest": (
        "automations.backtest_command:main",
        "try a rule on the site's own past",
    ),
    "pack": (
        "automations.packs.command:main",
        "check, test and compare permit packs",
    ),
    "status": ("core.commands.status:main", "show the processes of a running hub"),
    "stop": ("core.commands.status:stop", "end a running hub in order"),
    "restart": ("core.commands.status:restart", "start one process of a hub afresh"),
    "diagnostics": (
        "core.commands.diagnostics:main",
        "tell what support needs of a running hub, without secrets",
    ),
    "alarms": (
        "frontend_api.commands.alarms:main",
        "tell how the alarm system does, and which incidents are alike",
    ),
    "events": ("frontend_api.commands.events:main", "list what the journal tells"),
    "trace": ("frontend_api.commands.trace:main", "tell why a rule ran, step by step"),
    "export": (
        "frontend_api.commands.export:main",
        "write a slice of the journal to a file",
    ),
    "erasures": (
        "frontend_api.commands.erasures:main",
        "keep a register of what was erased; apply it to a backup put back",
    ),
    "aq": ("frontend_api.commands.aq:main", "exchange by AQ 3064.2: check, settle"),
    "paper": ("frontend_api.commands.paper:main", "print permits and blank forms"),
    "import": ("frontend_api.ledgers.command:main", "import people and cards"),
    "key": ("frontend_api.commands.key:main", "list devices' keys, agree to one"),
    "drill": ("frontend_api.commands.drill:main", "hold a drill, and score it"),
    "notice": (
        "frontend_api.commands.notice:main",
        "keep addresses, send a test, tell how channels do",
    ),
    "conformance": (
        "integrations.runtime.kit.command:main",
        "prove integrations against their own simulators",
    ),
    "new-integration": (
        "integrations.runtime.kit.new:main",
        "write a whole integration to begin from",
    ),
    "verify": ("core.journal.verify:main", "prove that a journal is unchanged"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the subcommand that the command line names; returns the exit status."""
    args = list(sys.argv[1:] if argv is None else argv)
    if not args or args[0] in ("-h", "--help", "help"):
        _say(_usage())
        return 0
    if args[0] in ("-V", "--version"):
        from importlib.metadata import version

        _say(f"safehold {version('safehold')}")
        return 0
    found = COMMANDS.get(args[0])
    if found is None:
        sys.stderr.write(
            f"safehold: there is no command {args[0]!r}; known: {', '.join(COMMANDS)}\n"
        )
        return 2
    module, _, function = found[0].partition(":")
    command: Callable[[list[str]], int] = getattr(
        importlib.import_module(module), function
    )
    return command(args[1:])


def _usage() -> str:
    lines = [
        "usage: safehold COMMAND [OPTIONS]   (COMMAND --help tells its options)",
        "",
    ]
    lines += [f"  {name:<16} {text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(lines)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
