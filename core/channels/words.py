"""What a message says: one notice, or several counted and named, within its bytes."""

import hashlib
from collections.abc import Mapping

from core import texts
from core.channels.lanes import Item, Packet
from core.config import Bundle
from core.response import book_names
from core.response.state import NoticeRecord

#: Parts of a digest that are written out, and people that a part names.
LINES, PEOPLE = 12, 6


class Message:
    """Hold a message's title and body."""

    def __init__(self, title: str, body: str) -> None:
        self.title, self.body = title, body


def reply_code(notice_id: str) -> str:
    """Return the four digits with which a person answers a notice by SMS."""
    digest = hashlib.sha256(f"reply:{notice_id}".encode()).digest()
    return str(int.from_bytes(digest[:4], "big") % 9000 + 1000)


class Writer:
    """Write messages in the site's language first, then the other."""

    def __init__(
        self, bundle: Bundle, notices: Mapping[str, NoticeRecord], names: dict[str, str]
    ) -> None:
        self._bundle, self._notices, self._names = bundle, notices, names
        first = bundle.site.language
        self._languages = (first, "en" if first == "zh" else "zh")

    def message(self, packet: Packet, limit: int, *, group: bool) -> Message:
        """Return a packet's message of at most ``limit`` bytes."""
        title = self.title(packet)
        tail = self._tail(packet)
        room = limit - len(f"{title}\n{tail}".encode())
        lines = [self._lines(packet, lang, group=group) for lang in self._languages]
        body = "\n".join(line for part in lines for line in part)
        if len(body.encode()) > room:
            # Too long for both languages: the site's own says it all.
            body = clip("\n".join(lines[0]), room)
        return Message(title, f"{body}\n{tail}" if tail else body)

    def short(self, packet: Packet, limit: int) -> str:
        """Return an SMS of at most ``limit`` bytes as UTF-16, in one language."""
        lang = self._languages[0]
        head = self.title(packet)
        first = packet.items[0]
        ask = self._say("sms.reply", {"code": reply_code(first.notice_id)}, lang)
        body = " ".join([head, *self._lines(packet, lang, group=False)])
        room = limit // 2 - len(ask) - 1
        return f"{body if len(body) <= room else body[: room - 1] + '…'} {ask}"

    # --- parts ----------------------------------------------------------------

    def title(self, packet: Packet) -> str:
        """Return a message's title: the site, with what marks it."""
        lang = self._languages[0]
        marks = {n.mark for n in self._records(packet.items)} - {""}
        mark = f"[{'/'.join(sorted(marks))}] " if marks else ""
        site = self._bundle.site.names
        name = site.zh if lang == "zh" else site.en
        return f"{mark}{name}"

    def _tail(self, packet: Packet) -> str:
        link = self._bundle.notices.link.rstrip("/")
        number = packet.items[0].notice_id[-6:]
        return f"{link}/notices  #{number}" if link else f"#{number}"

    def _lines(self, packet: Packet, lang: str, *, group: bool) -> list[str]:
        if len(packet.parts) == 1:
            return [self._part(packet.parts[0], lang, group=group)]
        count: dict[str, object] = {"count": len(packet.items)}
        count["kinds"] = len(packet.parts)
        lines = [self._say("many", count, lang)]
        for part in packet.parts[:LINES]:
            lines.append(f"• {self._part(part, lang, group=group)}")
        more = len(packet.parts) - LINES
        if more > 0:
            lines.append(self._say("more", {"count": more}, lang))
        return lines

    def _part(self, part: tuple[Item, ...], lang: str, *, group: bool) -> str:
        records = self._records(part)
        if not records:
            return ""
        said = texts.render(records[0].code, self._named(records[0], lang), lang)
        return f"{said} {self._to(part, lang)}" if group else said

    def _to(self, part: tuple[Item, ...], lang: str) -> str:
        people = list(dict.fromkeys(item.person_id for item in part))
        named = [self._names.get(p, p) for p in people[:PEOPLE]]
        comma = "、" if lang == "zh" else ", "
        facts = {"names": comma.join(named), "count": len(people)}
        return self._say("to" if len(people) <= PEOPLE else "to_many", facts, lang)

    def _named(self, notice: NoticeRecord, lang: str) -> dict[str, object]:
        named: dict[str, object] = dict(notice.params)
        zones = {zone.id: zone.names for zone in self._bundle.site.zones}
        zone = zones.get(str(notice.params.get("zone_id") or notice.params.get("zone")))
        if zone is not None:
            named["zone"] = zone.zh if lang == "zh" else zone.en
        points = {each.id: each.names for each in self._bundle.site.muster_points}
        told = str(notice.params.get("muster", "")).split(", ")
        gather = [points[each] for each in told if each in points]
        named["muster"] = ("、" if lang == "zh" else ", ").join(
            each.zh if lang == "zh" else each.en for each in gather
        )
        person = notice.params.get("person_id") or notice.params.get("person")
        if isinstance(person, str) and person in self._names:
            named["person"] = self._names[person]
        for name, both in book_names.named(notice.params, self._bundle).items():
            named[name] = both.zh if lang == "zh" else both.en
        return named

    def _records(self, items: list[Item] | tuple[Item, ...]) -> list[NoticeRecord]:
        found = (self._notices.get(item.notice_id) for item in items)
        return [record for record in found if record is not None]

    def _say(self, code: str, params: dict[str, object], lang: str) -> str:
        return texts.render(f"notice.letter.{code}", params, lang)


def clip(text: str, room: int) -> str:
    """Return a text of at most ``room`` bytes, cut between characters."""
    data = text.encode()
    if len(data) <= room:
        return text
    return data[: max(0, room - 3)].decode(errors="ignore") + "…"
