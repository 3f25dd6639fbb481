"""The notifier's child: takes letters on its input, sends them with apprise."""

import sys

import msgspec


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one apprise address; the address is a secret."""

    id: str
    address: str
    title: str
    body: str


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a letter; ``detail`` is a code and never holds the address."""

    id: str
    ok: bool
    detail: str = ""


def send(letter: Letter) -> Reply:
    """Send one letter; a failure is a reply, not an error."""
    import apprise

    service = apprise.Apprise()
    if not service.add(letter.address):
        return Reply(id=letter.id, ok=False, detail="bad_address")
    ok = bool(service.notify(title=letter.title, body=letter.body))
    return Reply(id=letter.id, ok=ok, detail="" if ok else "refused")


def main() -> None:
    """Answer letters line by line until the input ends."""
    for line in sys.stdin.buffer:
        reply = send(msgspec.json.decode(line, type=Letter))
        sys.stdout.buffer.write(msgspec.json.encode(reply) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
