"""Say what bytes are by their beginning; what somebody declares is not believed."""

from typing import Final

#: Media type → ending of a file's name, and the most bytes of one.
KNOWN: Final[dict[str, tuple[str, int]]] = {
    "image/jpeg": ("jpg", 32 << 20),
    "image/png": ("png", 32 << 20),
    "application/pdf": ("pdf", 64 << 20),
    "video/mp4": ("mp4", 2 << 30),
    "video/webm": ("webm", 2 << 30),
}
#: Brands of ISO 14496-12 files that are films; HEIF pictures begin alike.
_FILMS: Final = frozenset(
    {b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9"}
    | {b"mp41", b"mp42", b"mp71", b"avc1", b"hvc1", b"M4V ", b"MSNV", b"dash"}
    | {b"3gp4", b"3gp5", b"3gp6", b"qt  "}
)


def sniff(head: bytes) -> str:
    """Return the media type of the first 64 bytes; '' is none that we take."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if head[4:8] == b"ftyp" and head[8:12] in _FILMS:
        return "video/mp4"
    # An EBML header names its document type: 0x4282, length, text (RFC 8794).
    if head.startswith(b"\x1a\x45\xdf\xa3") and b"\x42\x82\x84webm" in head:
        return "video/webm"
    return ""
