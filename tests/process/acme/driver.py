"""The tests' own driver: one detector, known by its key."""

import asyncio

from core.api import (
    AuthError,
    Command,
    Device,
    Entity,
    EntityKind,
    Integration,
    fingerprint,
)


class Acme(Integration):
    """Declare one detector; a wrong password ends it."""

    async def run(self) -> None:
        """Serve until cancelled."""
        options = self.host.options
        secret = options.get("secrets", {}).get(options.get("password", ""), "")
        if secret == "wrong":
            raise AuthError("refused")
        gas = Entity(uid="gas", name="gas", kind=EntityKind.GAS, quantity="h2s")
        self.host.declare(
            Device(
                uid=options["serial"],
                name="acme",
                serial=options["serial"],
                entities=(gas,),
                key_id=fingerprint(secret.encode()),
            )
        )
        await asyncio.Event().wait()

    async def command(self, command: Command) -> None:
        """Do nothing: it has no outputs."""
