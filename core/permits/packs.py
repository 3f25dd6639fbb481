"""Rule packs in force: each permit is judged by the version that it was made under."""

from collections.abc import Callable
from typing import Final

import msgspec

from core import config
from core.api.errors import ConfigError
from core.hub import Hub
from core.permits.pack import Kind, Pack
from core.permits.pack_rules import Rules, compile_rules
from core.permits.packs_events import PackArmed, PackDropped
from core.permits.state import PermitRecord
from core.processes.events import ConfigArmed

#: A version whose event the disk lost is written again after this time.
_AGAIN_S: Final = 1.0

_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(Pack)


class Ruled(msgspec.Struct, frozen=True):
    """Hold a kind of permit with its pack and its compiled rules."""

    pack: Pack
    kind: Kind
    rules: Rules


def dump(pack: Pack) -> bytes:
    """Return a pack's canonical bytes."""
    return _encoder.encode(pack)


def digest_of(pack: Pack) -> str:
    """Return the content address of a pack."""
    return config.digest(dump(pack))


class Packs:
    """Find kinds by version and id; keep in the journal what a permit may need."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._current: dict[str, tuple[str, Pack]] = {}
        """Pack id → digest and pack in force."""
        self._digests: dict[str, str] = {}
        """Kind id → digest of the pack in force."""
        self._packs: dict[str, Pack | None] = {}
        """Digest → pack; None: nobody can read it."""
        self._ruled: dict[tuple[str, str], Ruled | None] = {}
        self._unproven: set[str] = set()
        """Digests whose event the disk lost."""
        hub.on(ConfigArmed, lambda _body, _: self._write())

    # --- answers --------------------------------------------------------------

    def kind(self, of: PermitRecord | tuple[str, str]) -> Ruled | None:
        """Return what judges a permit, or a kind as (digest, kind id).

        None: the version is unknown or cannot be read, so nothing is permitted.
        """
        key = of if isinstance(of, tuple) else (of.life.pack, of.kind)
        if key not in self._ruled:
            self._ruled[key] = self._compile(*key)
        return self._ruled[key]

    def current(self, kind_id: str) -> str | None:
        """Return the digest that a new permit of a kind pins; None for no pack's."""
        return self._digests.get(kind_id)

    def pack(self, version: str) -> Pack | None:
        """Return the pack of a digest; None when nobody has it or can read it."""
        if version not in self._packs:
            data = self._hub.state.permits.packs.data.get(version)
            self._packs[version] = None if data is None else _read(data)
        return self._packs[version]

    def _compile(self, version: str, kind_id: str) -> Ruled | None:
        pack = self.pack(version)
        kind = pack.kind(kind_id) if pack is not None else None
        if pack is None or kind is None:
            return None
        try:
            return Ruled(pack, kind, compile_rules(pack, kind))
        except (ConfigError, ValueError):
            # A pack of a newer release may say what this one cannot compile.
            return None

    # --- room -----------------------------------------------------------------

    def arm(self) -> None:
        """Take the packs of the bundle for new permits."""
        self._current = {p.id: (digest_of(p), p) for p in self._hub.bundle.packs}
        self._packs, self._digests = {}, {}
        for version, pack in self._current.values():
            self._packs[version] = pack
            self._digests |= dict.fromkeys((kind.id for kind in pack.kinds), version)
        self._ruled.clear()
        # Not here: a bundle that a later room refuses was never in force.
        self._hub.after(0.0, "packs.write", self._write)

    def recover(self, clean: bool) -> None:
        """Write down what a start armed; the journal may tell of others."""
        self._write()

    def tick(self) -> None:
        """Do nothing: packs change when a bundle does."""

    # --- journal --------------------------------------------------------------

    def _write(self) -> None:
        """Let the journal hold the versions in force, and no others."""
        held = self._hub.state.permits.packs
        again = self._unproven if self._hub.journal.healthy() else ()
        for pack_id, (version, pack) in self._current.items():
            known = version in held.data and version not in again
            if not known or held.current.get(pack_id) != version:
                data = b"" if known else dump(pack)
                body = PackArmed(pack_id=pack_id, digest=version, data=data)
                done = self._hub.emit(body)
                self._hub.when_durable(done.seq, self._heard(version))
        for pack_id in sorted(held.current.keys() - self._current.keys()):
            self._hub.emit(PackDropped(pack_id=pack_id))

    def _heard(self, version: str) -> Callable[[bool], None]:
        def heard(durable: bool) -> None:
            if durable:
                self._unproven.discard(version)
            else:
                self._unproven.add(version)
                self._hub.after(_AGAIN_S, "packs.again", self._once_more)

        return heard

    def _once_more(self) -> None:
        if self._hub.journal.healthy():
            self._write()
        else:
            self._hub.after(_AGAIN_S, "packs.again", self._once_more)


def _read(data: bytes) -> Pack | None:
    try:
        return _decoder.decode(data)
    except msgspec.MsgspecError:
        return None
