"""Which bundle is in force: armed by an act, refused, fallen back on (R8, §5)."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from core import config
from core.api.errors import Refused
from core.api.reading import Value
from core.hub import CORE
from core.journal.envelope import Cause
from core.kernel import Kernel
from core.people import signing
from core.permits.lifecycle import PREPARING, RUNNING, PermitStatus
from core.permits.state import PermitRecord
from core.processes.acts import ArmConfig, LoosenConfig
from core.processes.arming_reviews import Reviews, rule_changes, to_arm
from core.processes.events import ConfigArmed, ConfigRefused
from core.processes.loosening import Loosening, joins, loosens
from core.processes.loosening_work import touches, weighty

CHECK_S = 60.0
_SOURCE = "hub:config"
_DIFFERS = "fault.rule.differs"
#: Work goes on under these, or people may still be inside.
_WORKING = (*RUNNING, PermitStatus.HELD)
#: Loosenings that a refusal names; the difference of the files shows all.
_NAMED = 6


class Bundles(Protocol):
    """Where published bundles lie; the door to their files."""

    def read(self, digest: str) -> bytes:
        """Return a bundle's bytes; raises OSError."""


class Arming:
    """Arm bundles; the last good one stays in force whatever comes."""

    def __init__(
        self,
        kernel: Kernel,
        bundles: Bundles,
        armed: Callable[[str, bytes], None],
    ) -> None:
        self._kernel, self._hub, self._bundles = kernel, kernel.hub, bundles
        self._told = armed
        self.data = config.dump(config.EMPTY)
        """Bytes of the bundle in force."""
        self._refusals: list[tuple[str, Refused]] = []
        self._proven = ""
        """Hash of the last bundle whose arming is durable: where a failing disk
        leads back to, whatever was armed since, the same one again included."""
        self.reviews = Reviews(kernel)
        kernel.access.bind(ArmConfig, self._act)
        kernel.access.bind(LoosenConfig, self._act_of_two)
        self._hub.undo(ConfigArmed, self._take_back)

    # --- start ----------------------------------------------------------------

    def load(self) -> None:
        """Load the armed bundle after replay, or the last good one before it."""
        hub = self._hub.state.hub
        self._proven = hub.config_hash
        for digest in (hub.config_hash, hub.previous_config_hash):
            if not digest:
                continue
            try:
                self._try(*self._read(digest))
            except Refused as no:
                self._refusals.append((digest, no))
            else:
                return
        self._put(config.EMPTY, config.dump(config.EMPTY))

    def report(self) -> None:
        """Write down what `load` refused, and begin the check of each minute."""
        for digest, no in self._refusals:
            self._refused(digest, no, CORE)
        self._refusals.clear()
        self._hub.after(CHECK_S, "arming.check", self._check)

    # --- acts -----------------------------------------------------------------

    def arm(self, digest: str, by: str, cause: Cause, second: str = "") -> None:
        """Put a bundle in force; raises Refused, and then nothing has changed.

        ``second``: the other person who signed for what it loosens.
        """
        if not self._hub.journal.healthy():
            raise Refused("journal.not_durable")
        before, was = self._hub.bundle, self._hub.state.hub.config_hash
        try:
            bundle, data = self._read(digest)
            found = loosens(before, bundle)
            second = second or self.reviews.agreed(digest, by)
            if not second:
                self._alone((*found, *joins(before, bundle)))
                self._looked_at(digest, by, before, bundle)
            self._try(bundle, data)
        except Refused as no:
            self._refused(digest, no, cause)
            raise
        self._hold(found, cause)
        done = self._hub.emit(
            ConfigArmed(hash=digest, by=by, second=second, rules=to_arm(bundle)), cause
        )
        self._hub.when_durable(done.seq, lambda ok: self._armed(digest, ok))
        self.reviews.tell_upgrades(before, was, cause)
        self._kernel.alarms.clear(_SOURCE, "refused", cause)
        self._told(digest, data)

    def _act(
        self, actor_id: str, act: ArmConfig, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        self.arm(act.hash, f"person:{actor_id}", cause)
        return {"hash": act.hash}

    def _act_of_two(
        self, actor_id: str, act: LoosenConfig, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        if cause.second is None:
            raise Refused("signature.second_required", needed="")
        second = f"person:{signing.read(cause.second.data).person}"
        self.arm(act.hash, f"person:{actor_id}", cause, second)
        return {"hash": act.hash}

    # --- what is loosened -----------------------------------------------------

    def _alone(self, found: tuple[Loosening, ...]) -> None:
        """Refuse one person's word for what takes two (design §5 Security).

        Until the first key is enrolled the hub is being set up: nobody can sign,
        and so nobody works under a pack's permit yet.
        """
        grave = weighty(found, self._working(), self._booked())
        if grave and self.reviews.signing():
            raise Refused("config.second_needed", count=len(grave), what=_named(grave))

    def _looked_at(
        self, digest: str, by: str, old: config.Bundle, new: config.Bundle
    ) -> None:
        """Refuse rules of a person that nobody else has looked at (R25)."""
        person = by.startswith("person:") and self.reviews.signing()
        if person and rule_changes(old, new):
            self.reviews.require(digest)

    def _hold(self, found: tuple[Loosening, ...], cause: Cause) -> None:
        """Hold the work that may depend on what is loosened."""
        for permit in self._working():
            what = [each for each in found if touches(each, permit)]
            if what:
                self._kernel.permits.hold(
                    permit.id,
                    "config_loosened",
                    source=_SOURCE,
                    params={"what": _named(what)},
                    cause=cause,
                )

    def _working(self) -> list[PermitRecord]:
        permits = self._hub.state.permits.permits.values()
        return [each for each in permits if each.status in _WORKING]

    def _booked(self) -> list[PermitRecord]:
        permits = self._hub.state.permits.permits.values()
        return [each for each in permits if each.status in PREPARING]

    # --- inside ---------------------------------------------------------------

    def _read(self, digest: str) -> tuple[config.Bundle, bytes]:
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise Refused("config.no_hash", hash=digest[:80])
        try:
            data = self._bundles.read(digest)
        except OSError as error:
            raise Refused(
                "config.unreadable", hash=digest, detail=str(error)
            ) from error
        if config.digest(data) != digest:
            raise Refused("config.changed", hash=digest)
        try:
            return config.load(data), data
        except (msgspec.MsgspecError, ValueError) as error:
            raise Refused("config.invalid", hash=digest, detail=str(error)) from error

    def _put(self, bundle: config.Bundle, data: bytes) -> None:
        self._hub.load(bundle)
        self.data = data

    def _try(self, bundle: config.Bundle, data: bytes) -> None:
        before, before_data = self._hub.bundle, self.data
        try:
            self._put(bundle, data)
        except Exception as error:
            # whatever a room cannot digest leaves the last good one in force.
            self._put(before, before_data)
            detail = f"{type(error).__name__}: {error}"
            raise Refused("config.invalid", detail=detail) from error

    def _armed(self, digest: str, durable: bool) -> None:
        if durable:
            self._proven = digest

    def _refused(
        self, digest: str, no: Refused, cause: Cause, restored: str | None = None
    ) -> None:
        detail = str(no.params.get("detail", ""))[:300]
        body = ConfigRefused(
            hash=digest[:64], code=no.refusal, detail=detail, restored=restored
        )
        self._hub.emit(body, cause)
        self._kernel.alarms.raise_(
            _SOURCE,
            "refused",
            kind="fault.config.bundle",
            priority=2,
            params={"hash": digest[:12], "why": no.refusal, "detail": detail},
            cause=cause,
        )

    def _take_back(self, body: ConfigArmed) -> None:
        no = Refused("not_durable")
        self._refused(body.hash, no, CORE, restored=self._proven)
        self.load()
        self.report()
        self._told(self._hub.state.hub.config_hash, self.data)

    def _check(self) -> None:
        """Compare what is armed with what was approved (R8)."""
        approved = self._hub.state.hub.config_hash
        # A bundle of an older release has fewer fields: its own bytes are compared.
        same = not approved or (
            config.digest(self.data) == approved
            and config.load(self.data) == self._hub.bundle
        )
        if same:
            self._kernel.alarms.clear(_SOURCE, "differs")
        else:
            self._kernel.alarms.raise_(
                _SOURCE, "differs", kind="fault.config.bundle.differs", priority=1
            )
        self._check_rules()
        self._hub.after(CHECK_S, "arming.check", self._check)

    def _check_rules(self) -> None:
        """Name each rule by which the armed set is not the approved one (R8)."""
        alarms = self._kernel.alarms
        found = self._differences()
        for alarm in alarms.active(kind_prefix=_DIFFERS):
            if alarm.source.removeprefix("rule:") not in found:
                alarms.clear(alarm.source, "differs")
        for rule, why in found.items():
            alarms.raise_(
                f"rule:{rule}",
                "differs",
                kind=_DIFFERS,
                priority=1,
                params={"rule": rule, "why": f"rule.differs.{why}"},
            )

    def _differences(self) -> dict[str, str]:
        """Return rule → missing, other or unapproved; what the rooms run is asked."""
        armed: dict[str, str] = {}
        for room in self._hub.rooms:
            tell = getattr(room, "armed", None)
            if tell is not None:
                armed.update(tell())
        hub = self._hub.state.hub
        # A journal of an older release does not say which rules it approved.
        approved = hub.approved.get(hub.config_hash) or to_arm(self._hub.bundle)
        found = {rule: "unapproved" for rule in armed if rule not in approved}
        for rule, digest in approved.items():
            if armed.get(rule) != digest:
                found[rule] = "other" if rule in armed else "missing"
        return found


def _named(found: Sequence[Loosening]) -> str:
    """Return what is looser as ``part path``, the first of many."""
    told = [f"{each.part} {each.path}" for each in found[:_NAMED]]
    more = len(found) - _NAMED
    return "; ".join(told) + (f"; +{more}" if more > 0 else "")
