"""A name in both languages: a leaf that the bundle and its packs stand on."""

import msgspec


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """Hold a name in both languages."""

    zh: str
    en: str
