"""A command with subcommands: one place for their language, errors and exit status."""

import argparse
import sys
from collections.abc import Callable

from core.api.errors import ConfigError
from core.texts.sentences import add_option, say

#: Exit status where a file or the call itself is wrong.
WRONG = 2
Work = Callable[[argparse.Namespace], int]


class Tool:
    """Collect subcommands and run the one that is named.

    ``language``: that of a command whose paper has one by law; else the
    environment's. ``wrong``: its own errors beside ConfigError and OSError.
    """

    def __init__(
        self,
        name: str,
        told: str,
        *,
        language: str = "",
        wrong: tuple[type[Exception], ...] = (),
    ) -> None:
        self._wrong: tuple[type[Exception], ...] = (ConfigError, OSError, *wrong)
        self._parser = argparse.ArgumentParser(
            prog=f"safehold {name}", description=told
        )
        add_option(self._parser, language)
        self._works = self._parser.add_subparsers(required=True, metavar="COMMAND")

    def add(self, name: str, work: Work, told: str) -> argparse.ArgumentParser:
        """Return the parser of a subcommand; its work returns the exit status."""
        made = self._works.add_parser(name, help=told, description=told)
        made.set_defaults(work=work)
        # Here it may stand behind the subcommand too.
        add_option(made, argparse.SUPPRESS)
        return made

    def run(self, argv: list[str]) -> int:
        """Do what the words ask for; what is wrong goes to standard error."""
        options = self._parser.parse_args(argv)
        work: Work = options.work
        try:
            return work(options)
        except self._wrong as bad:
            # File, line and column come first: editors lead there.
            sys.stderr.write(f"{say(bad, options.language)}\n")
            return WRONG
