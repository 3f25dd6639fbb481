"""Attachments: which blob fills which slot, and who films now.

The bytes lie in the vault, outside the chain and outside this process; what is
here is hash, size, kind, times and person (issue: signatures and evidence).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from core.api.errors import Refused
from core.api.reading import Value
from core.clock import NS
from core.hub import Hub
from core.journal.envelope import Cause
from core.people.access import Access, Answer
from core.permits.attachments_acts import ReadPersonal, RecordAttachment
from core.permits.attachments_events import AttachmentRecorded, PersonalRead
from core.permits.attachments_state import key_of, people_of
from core.permits.pack import Kind, Pack
from core.permits.packs import Packs, Ruled
from core.permits.state import PermitRecord

#: A slot that every permit has, whatever its form.
EVIDENCE: Final = "evidence"
#: Attachments of the slot that every permit has.
_EVIDENCES: Final = 100
_IMAGES: Final = ("image/jpeg", "image/png")
_FILMS: Final = ("video/mp4", "video/webm")
#: What a form's field may be filled with.
FITS: Final = {"photo": _IMAGES, "signature": _IMAGES, "video": _FILMS}
#: Phones' clocks run apart; more than this lies in the future.
_AHEAD_MS: Final = 300_000
_FILM_MS: Final = 24 * 3_600_000
#: Device reports that say how far a recorder has come.
BEAT: Final = "recording.beat"
#: Recorders tell at least this often; a pack may ask for more, not be met by less.
BEAT_S: Final = 5.0
_GAP_SETTING: Final = "video_gap_s"
_GAP_S: Final = 10.0


class Slot(NamedTuple):
    """Say what may fill a slot, and how often."""

    media: tuple[str, ...]
    most: int
    film: bool = False


def slots_of(ruled: Ruled | None) -> dict[str, Slot]:
    """Return the slots of a kind's form, and the one that every permit has."""
    slots = {EVIDENCE: Slot((*_IMAGES, *_FILMS, "application/pdf"), _EVIDENCES)}
    form = ruled.pack.form(ruled.kind.form) if ruled else None
    for field in form.fields if form else ():
        media = FITS.get(field.type)
        if media is not None:
            slots[field.id] = Slot(media, field.repeats, field.type == "video")
    return slots


class Attachments:
    """Record attachments and looks at personal data."""

    def __init__(self, hub: Hub, access: Access, packs: Packs) -> None:
        self._hub, self._access, self._packs = hub, access, packs
        self.recordings = Recordings(hub)
        access.bind(RecordAttachment, self._record)
        access.bind(ReadPersonal, self._read)

    def arm(self) -> None:
        """Derive nothing: forms are read from the packs in force."""

    def recover(self, clean: bool) -> None:
        """Know of no recorder before it has spoken again."""

    def tick(self) -> None:
        """Let gaps grow."""
        self.recordings.tick()

    def _permit(self, permit_id: str) -> PermitRecord:
        permit = self._hub.state.permits.permits.get(permit_id)
        if permit is None:
            raise Refused("permit.unknown", permit=permit_id)
        return permit

    # --- acts -----------------------------------------------------------------

    def _record(
        self, actor: str, act: RecordAttachment, _version: int | None, cause: Cause
    ) -> Answer:
        permit = self._permit(act.permit_id)
        leads = {"supervisor", "issuer", "safety_officer", "owner"}
        if actor not in people_of(permit) and not self._access.roles(actor) & leads:
            raise Refused("attachment.not_yours", permit=permit.id)
        slot = self._slot(permit, act)
        self._check_times(slot, act)
        answer: Answer = {"sha256": act.sha256}
        # The word that erases a blob erases it in every slot, later ones too.
        gone = permit.attachments.gone_seq
        if gone or any(i.erased_seq for i in permit.attachments.of(act.sha256)):
            raise Refused("attachment.erased", sha256=act.sha256)
        if key_of(act.slot, act.sha256) in permit.attachments.items:
            return answer  # told twice: a phone that lost the answer
        filled = len(permit.attachments.in_slot(act.slot))
        if filled >= slot.most:
            raise Refused("attachment.slot_full", slot=act.slot, most=slot.most)
        self._hub.emit(
            AttachmentRecorded(
                permit_id=permit.id,
                slot=act.slot,
                sha256=act.sha256,
                size=act.size,
                media=act.media,
                person_id=actor,
                taken_ms=act.taken_ms,
                from_ms=act.from_ms or 0,
                to_ms=act.to_ms or 0,
                late=permit.ended,
            ),
            cause,
        )
        return answer

    def _slot(self, permit: PermitRecord, act: RecordAttachment) -> Slot:
        slots = slots_of(self._packs.kind(permit))
        slot = slots.get(act.slot)
        if slot is None:
            known = ", ".join(sorted(slots))
            raise Refused("attachment.slot_unknown", slot=act.slot, known=known)
        if act.media not in slot.media:
            allowed = ", ".join(slot.media)
            raise Refused(
                "attachment.slot_media",
                slot=act.slot,
                media=act.media,
                allowed=allowed,
            )
        return slot

    def _check_times(self, slot: Slot, act: RecordAttachment) -> None:
        start, end = act.from_ms, act.to_ms
        if (start is None) != (end is None):
            raise Refused("attachment.span", slot=act.slot)
        if start is not None and end is not None:
            if not slot.film or not start < end <= start + _FILM_MS:
                raise Refused("attachment.span", slot=act.slot)
        clock = self._hub.clock
        latest = max(act.taken_ms, end or 0)
        if clock.synced() and latest > clock.wall_ns() // 1_000_000 + _AHEAD_MS:
            raise Refused("attachment.future", slot=act.slot)

    def _read(
        self, actor: str, act: ReadPersonal, _version: int | None, cause: Cause
    ) -> Answer:
        body = PersonalRead(
            person_id=act.person_id, kind=act.kind, name=act.name, by=actor
        )
        self._hub.emit(body, cause)
        return {}


def _nobody(_permit_ids: Iterable[str]) -> None:
    """Tell nobody, until the permits listen."""


class Recordings:
    """Supply ``video_gap_s`` and ``video_recording`` (H15, GB 30871 5.2.11).

    A recorder's own word, from an enrolled device in the permit's zone or worn by
    somebody on it: how far it has recorded. Persons have no such act. Nothing is
    known after a start until a recorder has spoken.
    """

    names: Final = frozenset({"video_gap_s", "video_recording"})

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._ends: dict[str, int] = {}
        """Permit → boot ns up to which a recorder has it."""
        self.changed: Callable[[Iterable[str]], None] = _nobody

    def facts(self, permit: PermitRecord, kind: Kind, pack: Pack) -> dict[str, Value]:
        """Return the gap, and whether it is short enough to be called recording."""
        end = self._ends.get(permit.id)
        if end is None:
            return {}
        gap_s = max(0, self._hub.clock.mono_ns() - end) / NS
        setting = pack.setting(_GAP_SETTING)
        allowed = max(setting.value if setting else _GAP_S, BEAT_S)
        return {"video_gap_s": gap_s, "video_recording": gap_s <= allowed}

    def tick(self) -> None:
        """Tell of gaps that grow; forget permits that have ended."""
        permits = self._hub.state.permits.permits
        for permit_id in list(self._ends):
            permit = permits.get(permit_id)
            if permit is None or permit.ended:
                del self._ends[permit_id]
        now = self._hub.clock.mono_ns()
        late = [p for p, end in self._ends.items() if now - end > BEAT_S * NS]
        if late:
            self.changed(late)

    def beat(self, device_id: str, params: Mapping[str, Value]) -> None:
        """Take a recorder's word that it recorded until now; live, never journalled.

        A gap is what counts, and the hold that it makes is in the journal.
        """
        end = self._end(params.get("until_ms"))
        if end is None:
            return
        wanted = params.get("permit_id")
        told = [
            p
            for p in self._filmed(device_id, wanted)
            if end > self._ends.get(p, end - 1)
        ]
        for permit_id in told:
            self._ends[permit_id] = end
        if told:
            self.changed(told)

    def _end(self, until_ms: Value | None) -> int | None:
        """Return the boot ns of a recorder's wall time; None when it tells nothing.

        A recorder ahead of the hub may hide a gap; an untrusted wall hides any.
        """
        clock = self._hub.clock
        if isinstance(until_ms, bool) or not isinstance(until_ms, int | float):
            return None
        behind_ms = clock.wall_ns() // 1_000_000 - until_ms
        if not clock.synced() or not -BEAT_S * 1000 <= behind_ms <= _FILM_MS:
            return None
        return clock.mono_ns() - int(max(behind_ms, 0) * 1_000_000)

    def _filmed(self, device_id: str, wanted: Value) -> list[str]:
        device = self._hub.state.registry.devices.get(device_id)
        if device is None:
            return []
        return [
            permit.id
            for permit in self._hub.state.permits.permits.values()
            if not permit.ended
            and wanted in (None, "", permit.id)
            and (
                (device.zone_id and device.zone_id == permit.zone_id)
                or device.person_id in people_of(permit)
            )
        ]
