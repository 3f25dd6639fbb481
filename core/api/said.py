"""The sentence of an error: English as it stands, and what it takes to say it anew.

``Said`` is its own English text, so that it goes wherever a message goes. It keeps
the template and the parameters besides, of which ``core.texts.sentences`` makes
another language's sentence. A message without parameters may stay a plain text: it is
its own template.
"""

import string
from collections.abc import Callable, Iterable, Mapping

#: What joins the members of a list, and what an empty one is called.
_COMMA, _NONE = ", ", "none"
_PARSER = string.Formatter()
#: Why a format does not suit a value; a message is never worth an exception.
_UNFIT = (
    *(ValueError, TypeError, AttributeError),
    *(ArithmeticError, LookupError, RecursionError),
)


class Said(str):
    """An English sentence that remembers how it was made.

    A parameter may be plain data, a list (its members are joined), a text in two
    languages (``zh`` and ``en``), another ``Said`` or the exception that was the
    cause: each is said in the reader's language. A plain text is data, and stays.
    """

    __slots__ = ("params", "template")
    params: dict[str, object]
    template: str

    def __new__(cls, template: str, /, **params: object) -> "Said":
        """Fill the English template; never raises, whatever the parameters hold.

        Without parameters the template is taken as it is, braces and all.
        """
        made = super().__new__(cls, fill(template, params, english))
        made.template = template
        made.params = params
        return made


def sentence(text: str) -> Said:
    """Return a text that is a sentence, not data, as a parameter of another."""
    return text if isinstance(text, Said) else Said(text)


def known_words(words: Iterable[str]) -> Said:
    """Return what there is to choose from, as the end of another sentence."""
    return Said("known: {words}", words=list(words))


def lines(parts: Iterable[str]) -> Said:
    """Return several sentences as one, each on a line of its own."""
    params: dict[str, object] = {f"line{n}": sentence(p) for n, p in enumerate(parts)}
    return Said("\n".join(f"{{{name}}}" for name in params), **params)


def fill(
    template: str, params: Mapping[str, object], say: Callable[[object], str]
) -> str:
    """Return a template with its places filled; a place without a value stays."""
    if not params:
        return template
    try:
        parts = list(_PARSER.parse(template))
    except ValueError:  # no template: a text with a brace of its own
        return template
    made = []
    for literal, name, spec, conversion in parts:
        made.append(literal)
        if name is None:
            continue
        if name not in params:
            made.append(f"{{{name}}}")
        else:
            made.append(_placed(params[name], spec or "", conversion, say))
    return "".join(made)


def _placed(
    value: object, spec: str, conversion: str | None, say: Callable[[object], str]
) -> str:
    try:
        if conversion == "r":
            value = repr(value)
        return format(value, spec) if spec else say(value)
    except _UNFIT:
        # A number too long to be written, or a format for another type.
        return f"<{type(value).__name__}>" if not spec else _placed(value, "", "", say)


def english(value: object) -> str:
    """Return a parameter as English says it."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return _COMMA.join(map(english, value)) or _NONE
    if isinstance(value, Mapping) and {"zh", "en"} <= value.keys():
        return str(value["en"])
    return str(value)
