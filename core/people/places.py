"""Where a person is when they act: unknown never counts as on site.

What the hub sees itself (worn tags, gates) needs no claim. What a device claims
(a tag read, the screen's rotating code, a beacon, satellites) counts only where
the zone's configuration says so, and for a minute.
"""

import hashlib
import hmac
import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

from core import config
from core.api.errors import Refused
from core.clock import NS
from core.hub import Hub
from core.journal import proofs
from core.journal.envelope import Cause
from core.logic.truth import Truth
from core.people.access import Answer
from core.people.keys_acts import ShowCode, VerifyPerson
from core.people.keys_events import PersonUnverified, PersonVerified
from core.people.people import People
from core.people.signing import MS, Claim, Statement, read, statement
from core.site.earth import local
from core.site.site import Site, contains, to_edge

#: Age beyond which a fix says nothing.
FIX_S = 60.0
#: A device's clock may be so far ahead of the hub's.
AHEAD_S = 5.0
#: Span of one rotating code; the one before it is still good.
CODE_S = 30
CODE_DIGITS = 10


class Found(NamedTuple):
    """Say whether a person is in a zone, by which method, and why not."""

    truth: Truth
    method: str = ""
    accuracy_m: float | None = None
    """Radius of a fix with coordinates; None where the method names a zone."""
    age_s: float = 0.0
    why: str = ""
    """nothing_seen, elsewhere, outside, old, accuracy_unknown, on_the_edge,
    method_not_allowed, wrong_code, no_reference, no_terminal, conflict, or ''."""


def _unknown(why: str, method: str = "", age_s: float = 0.0) -> Found:
    return Found(Truth.UNKNOWN, method, None, age_s, why)


class Places:
    """Judge places; keep who was verified where."""

    def __init__(self, hub: Hub, site: Site, people: People) -> None:
        self._hub, self._site, self._people = hub, site, people
        self.secret: Callable[[str], str] = lambda _name: ""
        """Returns a named secret of the hub; '' is none, and no code is then good."""
        self._secrets: dict[str, str] = {}
        access = people.access
        access.bind(VerifyPerson, self._verify)
        access.bind(ShowCode, self._show)
        hub.undo(PersonVerified, self._take_back)

    def arm(self) -> None:
        """Fetch the secrets of the zones whose screens show a code."""
        self._secrets = {
            zone.id: self.secret(f"place.{zone.id}")
            for zone in self._site.zones()
            if "qr" in zone.places.methods
        }

    def recover(self, clean: bool) -> None:
        """Owe nothing after a start."""

    def tick(self) -> None:
        """Have no levels to evaluate."""

    # --- answers --------------------------------------------------------------

    def judge(
        self,
        person_id: str,
        zone_id: str,
        claim: Claim | None,
        now_ns: int,
        terminal_zone: str | None = None,
    ) -> Found:
        """Say whether a person is in a zone, from what is seen and claimed.

        ``terminal_zone``: where the signing terminal stands, None without one. A
        claim that what the hub sees contradicts is UNKNOWN.
        """
        zone = self._site.zone(zone_id)
        if zone is None:
            return _unknown("nothing_seen")
        seen = self._seen(person_id, zone)
        if terminal_zone is not None and (claim is None or claim.method == "gate"):
            told = self._at_terminal(zone, terminal_zone)
        elif claim is not None and claim.method != "uwb":
            told = self._claimed(zone, claim, now_ns)
        else:
            return seen
        if told.truth is Truth.TRUE and seen.truth is Truth.FALSE:
            return _unknown("conflict", told.method, told.age_s)
        if told.truth is Truth.UNKNOWN and seen.truth is not Truth.UNKNOWN:
            return seen
        return told

    def of(self, cause: Cause, zone_id: str) -> Found:
        """Say whether the signer of an act was in a zone when they signed it."""
        told = statement(cause)
        if told is None or cause.proof is None:
            return _unknown("nothing_seen")
        person_id, now_ns = told.person, told.at * MS
        terminal = self._terminal(cause.proof.key, told)
        return self.judge(person_id, zone_id, told.place, now_ns, terminal)

    def gathered(
        self, people: Iterable[str], zone_id: str
    ) -> tuple[bool, float] | None:
        """Say whether all were verified in a zone, and the longest time ago, seconds.

        None: of one of them nobody can tell when.
        """
        verified, clock = self._hub.state.people.keys.verified, self._hub.clock
        boot_id, now = clock.boot_id, clock.mono_ns()
        everyone, age_ns = True, 0
        for each in people:
            record = verified.get(each)
            if record is None:
                everyone = False
                continue
            at = record.at
            if at.boot_id == boot_id:
                age = now - at.start_mono_ns - at.duration_ns
            elif (left := at.remaining_ns(clock)) is not None:
                age = -left
            else:
                return None
            age_ns = max(age_ns, age)
            if record.zone_id != zone_id:
                everyone = False
        return everyone, age_ns / NS

    def code(self, zone_id: str, wall_ns: int) -> str:
        """Return the code of a zone at a moment; '' where it has none."""
        secret = self._secrets.get(zone_id, "")
        return _code(secret, zone_id, wall_ns // NS // CODE_S) if secret else ""

    # --- what the hub sees ----------------------------------------------------

    def _seen(self, person_id: str, zone: config.Zone) -> Found:
        presence = self._people.where(person_id)
        found = self._people.found(person_id)
        if presence is None or found is None or presence.source in ("hand", "lost"):
            return _unknown("nothing_seen")
        if presence.source == "gate":
            method, since_ns = "gate", presence.since_wall_ns
            age_s = (self._hub.clock.wall_ns() - since_ns) / NS
        else:
            method = "uwb"
            fix = self._people.readings.get(presence.source)
            age_s = (self._hub.clock.mono_ns() - fix.received_ns) / NS
        if method not in zone.places.methods:
            return _unknown("method_not_allowed", method)
        if not -AHEAD_S <= age_s <= FIX_S:
            return _unknown("old", method, age_s)
        if found != zone.id:
            return Found(Truth.FALSE, method, None, age_s, "elsewhere")
        return Found(Truth.TRUE, method, None, age_s)

    def _terminal(self, key_id: str, told: Statement) -> str | None:
        key = self._hub.state.people.keys.keys.get(key_id)
        if told.method in ("key", "pin_witness") or key is None:
            return None
        return key.zone_id if key.device == proofs.TERMINAL else None

    def _at_terminal(self, zone: config.Zone, terminal_zone: str) -> Found:
        if "gate" not in zone.places.methods:
            return _unknown("method_not_allowed", "gate")
        if terminal_zone != zone.id:
            return Found(Truth.FALSE, "gate", None, 0.0, "elsewhere")
        return Found(Truth.TRUE, "gate")

    # --- what a device claims -------------------------------------------------

    def _claimed(self, zone: config.Zone, claim: Claim, now_ns: int) -> Found:
        method = claim.method
        if method not in zone.places.methods:
            return _unknown("method_not_allowed", method)
        age_s = (now_ns - claim.at * MS) / NS
        if not -AHEAD_S <= age_s <= FIX_S:
            return _unknown("old", method, age_s)
        if method == "gnss":
            return self._by_satellite(zone, claim, age_s)
        if method == "qr":
            return self._by_code(zone, claim, now_ns)
        known = {"nfc": zone.places.nfc, "ble": zone.places.ble}.get(method, ())
        if not claim.code or claim.code not in known:
            why = "no_terminal" if method == "gate" else "wrong_code"
            return _unknown(why, method, age_s)
        return Found(Truth.TRUE, method, None, age_s)

    def _by_code(self, zone: config.Zone, claim: Claim, now_ns: int) -> Found:
        """Hold a code against this span's and the one's before."""
        secret, span = self._secrets.get(zone.id, ""), now_ns // NS // CODE_S
        for back in (0, 1):
            code = _code(secret, zone.id, span - back)
            if secret and hmac.compare_digest(code.encode(), claim.code.encode()):
                age_s = now_ns / NS - (span - back) * CODE_S
                return Found(Truth.TRUE, "qr", None, age_s)
        return _unknown("wrong_code", "qr")

    def _by_satellite(self, zone: config.Zone, claim: Claim, age_s: float) -> Found:
        geo, radius = self._hub.bundle.site.geo, claim.accuracy_m
        if geo is None:
            return _unknown("no_reference", "gnss", age_s)
        if claim.lat is None or claim.lon is None:
            return _unknown("wrong_code", "gnss", age_s)
        if radius is None or not math.isfinite(radius) or radius <= 0:
            return _unknown("accuracy_unknown", "gnss", age_s)
        x, y = local(geo, claim.lat, claim.lon)
        # Nearer to the edge than the fix is sure of: it may lie on either side.
        if to_edge(zone.polygon, x, y) <= radius:
            return Found(Truth.UNKNOWN, "gnss", radius, age_s, "on_the_edge")
        inside = contains(zone.polygon, x, y)
        truth, why = (Truth.TRUE, "") if inside else (Truth.FALSE, "outside")
        return Found(truth, "gnss", radius, age_s, why)

    # --- acts -----------------------------------------------------------------

    def _verify(
        self, actor: str, act: VerifyPerson, _version: int | None, cause: Cause
    ) -> Answer:
        if self._site.zone(act.zone_id) is None:
            raise Refused("site.zone_unknown", zone=act.zone_id)
        found = self.of(cause, act.zone_id)
        if found.truth is not Truth.TRUE:
            where = "elsewhere" if found.truth is Truth.FALSE else "unknown"
            code = f"place.{where}"
            raise Refused(code, zone=act.zone_id, why=f"place.why.{found.why}")
        told = read(cause.proof.data) if cause.proof else None
        self._hub.emit(
            PersonVerified(
                person_id=actor,
                zone_id=act.zone_id,
                method=told.method if told else "",
                place=found.method,
                accuracy_m=found.accuracy_m,
                age_s=round(found.age_s, 3),
            ),
            cause,
        )
        return {"person_id": actor, "zone_id": act.zone_id, "place": found.method}

    def _take_back(self, body: PersonVerified) -> None:
        self._hub.emit(PersonUnverified(person_id=body.person_id))

    def _show(
        self, _actor: str, act: ShowCode, _version: int | None, _cause: Cause
    ) -> Answer:
        now_ns = self._hub.clock.wall_ns()
        code = self.code(act.zone_id, now_ns)
        if not code:
            raise Refused("place.no_code", zone=act.zone_id)
        until_ms = (now_ns // NS // CODE_S + 1) * CODE_S * 1000
        return {"zone_id": act.zone_id, "code": code, "until_ms": until_ms}


def _code(secret: str, zone_id: str, span: int) -> str:
    said = f"safehold place 1\0{zone_id}\0{span}".encode()
    return hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()[:CODE_DIGITS]
