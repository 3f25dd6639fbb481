"""Node ids as people write them: a namespace's URI, never its index.

An index is a server's own numbering and moves when a namespace is added; a map that
held it would one day read another node. Forms: ``nsu=URI;s=NAME``, ``s=NAME`` (in the
device's namespace) and ``i=2258`` (in the standard's own).
"""

import re
from typing import Any, NamedTuple
from uuid import UUID

from asyncua import ua

from core.api.said import Said

MAX_TEXT = 500
STANDARD = "http://opcfoundation.org/UA/"
_FORM = re.compile(r"(?:nsu=(?P<uri>[^;]{1,400});)?(?P<kind>[isgb])=(?P<id>.+)")


class NodeError(ValueError):
    """A text is no node id, or its namespace is not the server's."""


class NodeRef(NamedTuple):
    """Hold a node id whose namespace is still a URI."""

    uri: str
    kind: str
    id: str

    def __str__(self) -> str:
        return f"nsu={self.uri};{self.kind}={self.id}"


def parse(text: str, namespace: str = "") -> NodeRef:
    """Return the node that a text names; raises NodeError with the mend."""
    found = _FORM.fullmatch(text) if len(text) <= MAX_TEXT else None
    if found is None:
        if text.startswith("ns="):
            raise NodeError(
                Said(
                    "{text!r}: an index moves; write nsu=URI;… as 'browse' shows it",
                    text=text,
                )
            )
        raise NodeError(
            Said("expected nsu=URI;s=NAME or s=NAME, found {text!r}", text=text)
        )
    kind, ident = found["kind"], found["id"]
    uri = found["uri"] or namespace or (STANDARD if kind == "i" else "")
    if not uri:
        raise NodeError(
            Said("{text!r}: give nsu=URI; or the device's 'namespace'", text=text)
        )
    if kind == "i" and not (ident.isdecimal() and len(ident) < 11):
        raise NodeError(Said("{text!r}: expected a number after i=", text=text))
    if kind == "g":
        try:
            UUID(ident)
        except ValueError:
            raise NodeError(
                Said("{text!r}: expected a GUID after g=", text=text)
            ) from None
    if kind == "b" and not re.fullmatch(r"([0-9a-fA-F]{2}){1,200}", ident):
        raise NodeError(
            Said("{text!r}: expected hexadecimal bytes after b=", text=text)
        )
    return NodeRef(uri, kind, ident)


def resolve(ref: NodeRef, namespaces: list[str]) -> ua.NodeId:
    """Return the node id by a server's own numbering; raises NodeError."""
    try:
        index = namespaces.index(ref.uri)
    except ValueError:
        raise NodeError(
            Said("the server has no namespace {uri!r}", uri=ref.uri)
        ) from None
    ident: int | UUID | bytes | str = ref.id
    if ref.kind == "i":
        ident = int(ref.id)
    elif ref.kind == "g":
        ident = UUID(ref.id)
    elif ref.kind == "b":
        ident = bytes.fromhex(ref.id)
    return make(ident, index)


def make(ident: int | UUID | bytes | str, index: int = 0) -> ua.NodeId:
    """Return a node id of plain values, as the library takes them."""
    build: Any = ua.NodeId
    found: ua.NodeId = build(ident, index)
    return found


def name(node: ua.NodeId, namespaces: list[str]) -> str:
    """Return the lasting text of a server's node id; raises NodeError."""
    if not 0 <= node.NamespaceIndex < len(namespaces):
        raise NodeError(
            Said(
                "the server told no namespace {namespaceindex}",
                namespaceindex=node.NamespaceIndex,
            )
        )
    uri, ident = namespaces[node.NamespaceIndex], node.Identifier
    if isinstance(ident, bytes):
        return str(NodeRef(uri, "b", ident.hex()))
    if isinstance(ident, UUID):
        return str(NodeRef(uri, "g", str(ident)))
    return str(NodeRef(uri, "i" if isinstance(ident, int) else "s", str(ident)))
