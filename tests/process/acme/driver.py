"""The tests' own driver: one detector, known by the key that its password makes."""

import asyncio
import hashlib

from core.api import AuthError, Command, Device, Entity, EntityKind, Integration


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
                key_id=hashlib.sha256(secret.encode()).hexdigest()[:16],
            )
        )
        await asyncio.Event().wait()

    async def command(self, command: Command) -> None:
        """Do nothing: it has no outputs."""
