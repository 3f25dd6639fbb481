"""Which rule is tried: an armed one, another reading of its inputs, or a new file."""

from pathlib import Path
from typing import Any

import msgspec

from automations.blueprint import find, read
from automations.compile_rule import instantiate
from core.api.errors import ConfigError
from core.api.said import Said
from core.config import Bundle, Rule


class Choice:
    """Choose the rule of a bundle by its id, its blueprint's id, or a file.

    ``given`` are inputs that replace those of the armed instance.
    """

    def __init__(
        self, name: str, given: dict[str, Any], folders: tuple[Path, ...] = ()
    ) -> None:
        self._name, self._given, self._folders = name, given, folders

    def __call__(self, bundle: Bundle) -> tuple[Rule, ...]:
        """Return the one rule to try on this bundle; raises ConfigError."""
        armed = self._armed(bundle)
        as_it_is = armed is not None and not self._given
        made = armed if as_it_is and armed is not None else self._made(bundle, armed)
        # It is tried in full, whatever it may do at the site.
        return (msgspec.structs.replace(made, mode="enforce", zone_modes={}),)

    def _armed(self, bundle: Bundle) -> Rule | None:
        named = [rule for rule in bundle.rules if rule.id == self._name]
        found = named or [r for r in bundle.rules if r.blueprint == self._name]
        if len(found) > 1 and not self._given:
            ids = [rule.id for rule in found]
            raise ConfigError(
                Said(
                    "{name} is armed more than once; name one: {ids}",
                    name=self._name,
                    ids=ids,
                )
            )
        return found[0] if found else None

    def _made(self, bundle: Bundle, armed: Rule | None) -> Rule:
        file = Path(self._name)
        wanted = armed.blueprint if armed is not None else self._name
        if file.suffix == ".yaml":
            wanted = file.stem
            armed = armed or next(
                (r for r in bundle.rules if r.blueprint == wanted and r.given), None
            )
        else:
            found = find(wanted, self._folders)
            if found is None:
                ids = sorted(rule.id for rule in bundle.rules)
                raise ConfigError(
                    Said(
                        "there is no rule or blueprint {name!r}; armed then: {ids}",
                        name=self._name,
                        ids=ids,
                    )
                )
            file = found
        given = {**(armed.given if armed is not None else {}), **self._given}
        return instantiate(
            read(file),
            rule_id=armed.id if armed is not None else wanted,
            mode="enforce",
            given=given,
            zones={zone.id for zone in bundle.site.zones},
            chains={chain.id for chain in bundle.chains},
        )
