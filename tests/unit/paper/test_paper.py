"""Permits and blank forms on paper: text layer, fonts, one page, seals."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.journal.reader import events
from core.journal.segment import RealDisk
from frontend_api.commands import paper
from frontend_api.paper import fonts, form, seal
from frontend_api.paper.permit import Facts, Place, print_pages
from frontend_api.paper.seal import Sealer
from frontend_api.paper.sheet import Sheet
from tests.unit.exchange.conftest import BUNDLE, Told

PERMIT = "01J0000000000000000000PERM"
GREEN = ("仅在指示灯或屏幕为绿色时有效", "Valid only while the lamp or screen is green")


def text_of(data: bytes) -> tuple[int, str]:
    """Return the pages and the text layer, read through the fonts' own maps."""
    read = pypdf.PdfReader(io.BytesIO(data))
    text = []
    for page in read.pages:
        faces: Any = page["/Resources"]["/Font"]  # type: ignore[index]
        maps = {name: _unicode(faces[name]) for name in faces}
        now: dict[int, str] = {}
        for operands, operator in page.get_contents().operations:  # type: ignore[union-attr]
            if operator == b"Tf":
                now = maps[operands[0]]
            elif operator in (b"Tj", b"TJ"):
                parts = operands[0] if operator == b"TJ" else operands
                text += [_decoded(part, now) for part in parts if _is_text(part)]
    return len(read.pages), "".join(text)


def _unicode(face: Any) -> dict[int, str]:
    """Return code → character of a font's ToUnicode map."""
    told = face["/ToUnicode"].get_data().decode()
    rows = re.findall(r"^<([0-9A-F]{4})> <([0-9A-F]+)>$", told, re.MULTILINE)
    return {int(a, 16): bytes.fromhex(b).decode("utf-16-be") for a, b in rows}


def _is_text(part: Any) -> bool:
    return isinstance(part, bytes) or hasattr(part, "original_bytes")


def _decoded(part: Any, found: dict[int, str]) -> str:
    raw = part if isinstance(part, bytes) else part.original_bytes
    return "".join(
        found[int.from_bytes(raw[at : at + 2], "big")] for at in range(0, len(raw), 2)
    )


def printed(hub: Path, language: str, *more: str) -> tuple[int, bytes]:
    out = hub / "permit.pdf"
    words = ["permit", "--data", str(hub), "--permit", PERMIT, "--out", str(out)]
    status = paper.main([*words, "--language", language, *more])
    return status, out.read_bytes() if out.exists() else b""


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "zh",
            (
                "受限空间安全作业票",
                "一号罐",
                "周勇、吴涛",
                "李护",
                "硫化氢",
                "20.9 %vol",
            ),
        ),
        ("en", ("Confined space permit", "Tank 1", "周勇, 吴涛", "H2S", "Guardian")),
    ],
)
def test_permit_is_one_page_with_the_common_fields(
    hub: Path, faces: fonts.Fonts, language: str, words: tuple[str, ...]
) -> None:
    """GB 30871-2022 annex A; issue part 8."""
    status, data = printed(hub, language)
    pages, text = text_of(data)
    assert (status, pages) == (0, 1)
    for word in (*words, *GREEN, PERMIT, "清罐", "2026-07-01 08:"):
        assert word in text, word
    disk = RealDisk(hub / "journal")
    head = list(events(disk))[-1].mark.chain.hex()  # type: ignore[union-attr]
    disk.close()
    assert head in text
    assert ("不得作业" if language == "zh" else "HELD when printed") in text


def test_fonts_are_embedded_and_the_page_is_a4(hub: Path, faces: fonts.Fonts) -> None:
    """Issue part 8: embedded Chinese fonts."""
    _, data = printed(hub, "zh")
    page = pypdf.PdfReader(io.BytesIO(data)).pages[0]
    assert [round(float(side)) for side in page.mediabox[2:]] == [595, 842]
    faces_ = page["/Resources"]["/Font"]  # type: ignore[index]
    assert len(faces_) == 2
    for name in faces_:
        inner = faces_[name]["/DescendantFonts"][0].get_object()
        assert "/FontFile3" in inner["/FontDescriptor"].get_object()
    assert len(data) < 300_000  # a subset, not the whole collection


def test_long_content_stays_on_its_page(faces: fonts.Fonts, told: Told) -> None:
    """A statutory form must not spill: text shrinks, then ends in an ellipsis."""
    permit = told.issue(
        title="更换搅拌轴密封；" * 60, workers=tuple(f"w{n}" for n in range(60))
    )
    facts = Facts(
        bundle=BUNDLE,
        form=form.load("lifting", "x", "zh"),
        permit=told.state.permits.permits[permit],
        holds=("暂停：监护人",) * 9,
        number=permit,
        place=Place(7, b"h" * 32),
        printed_ns=told.wall_ns,
    )
    data, _ = print_pages(faces, [facts], _sealer(), "zh")
    pages, text = text_of(data)
    assert pages == 1
    assert "…" in text


def _sealer() -> Sealer:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Sealer(Ed25519PrivateKey.from_private_bytes(b"\1" * 32))


def _seal(name: str = "P1", version: int = 3) -> seal.Seal:
    return seal.Seal(
        kind="permit",
        id=name,
        version=version,
        until_s=1_782_892_800,
        seq=9,
        head=b"h" * 32,
        printed_s=1_782_864_000,
    )


@given(st.integers(0, 400), st.sampled_from("0Az|-_ 动"))
def test_a_changed_seal_never_verifies(at: int, put: str) -> None:
    """Issue part 8: the QR code verifies offline, and only as it was printed."""
    line = _sealer().line(_seal())
    at %= len(line)
    changed = line[:at] + put + line[at + 1 :]
    if changed == line:
        assert seal.read(changed)[0] == _seal()
        return
    try:
        found, key = seal.read(changed)
    except seal.SealError:
        return
    # Base64 has spare bits at its end: another spelling of the same signature.
    assert (found, key) == (_seal(), _sealer().public)


def test_verify_needs_the_sites_key(
    hub: Path, faces: fonts.Fonts, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unknown is never safe: a sound seal of an unnamed key is not verified."""
    printed(hub, "en")
    line = capsys.readouterr().out.strip().splitlines()[-1]
    key = Sealer.of(hub).public.hex()
    verify = ["verify", line, "--language", "en"]
    assert paper.main(verify) == 1
    assert "NOT VERIFIED" in capsys.readouterr().out
    assert paper.main([*verify, "--key", key]) == 0
    assert paper.main([*verify, "--key", "00" * 32]) == 1
    assert "NOT THIS SITE'S" in capsys.readouterr().out
    assert paper.main([*verify, "--data", str(hub)]) == 0
    assert "holds this head" in capsys.readouterr().out
    assert paper.main(["verify", line.replace("|2|", "|3|"), "--key", key]) == 1


def test_blanks_are_numbered_once_and_reprints_are_logged(
    hub: Path, faces: fonts.Fonts, capsys: pytest.CaptureFixture[str]
) -> None:
    """Issue part 8: numbered blank forms cover an outage."""
    out = hub / "blanks.pdf"
    words = ["blanks", "--data", str(hub), "--out", str(out)]
    assert paper.main([*words, "--count", "2", "--form", "confined"]) == 0
    pages, text = text_of(out.read_bytes())
    assert pages == 2
    for word in ("编号：park-B-000001", "编号：park-B-000002", "补录", *GREEN):
        assert word in text
    assert paper.main([*words, "--count", "1"]) == 0
    assert "park-B-000003" in text_of(out.read_bytes())[1]
    assert paper.main([*words, "--reprint", "2"]) == 2  # no reason
    assert paper.main([*words, "--reprint", "2-9", "--why", "湿了"]) == 2
    assert paper.main([*words, "--reprint", "2", "--why", "湿了"]) == 0
    assert "补印：湿了" in text_of(out.read_bytes())[1]
    log = (hub / "paper" / "blanks.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in log]
    assert [(r["first"], r["last"]) for r in rows] == [(1, 2), (3, 3), (2, 2)]
    assert rows[2]["reprint"] == "湿了"
    assert paper.main([*words, "--count", "1", "--form", "sailing"]) == 2
    assert "confined" in capsys.readouterr().err


def test_missing_font_names_its_package(tmp_path: Path) -> None:
    with pytest.raises(fonts.FontMissing, match="fonts-noto-cjk"):
        fonts.find((tmp_path,))


def test_unknown_permit_tells_the_last_ones(
    hub: Path, faces: fonts.Fonts, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["permit", "--data", str(hub), "--out", str(hub / "x.pdf")]
    assert paper.main([*words, "--permit", "NONE"]) == 2
    assert PERMIT in capsys.readouterr().err
    assert paper.main([*words, "--permit", "PERM"]) == 0


def test_every_pack_form_fits_its_page(faces: fonts.Fonts, told: Told) -> None:
    """Each form of a pack prints in both languages, each on a page of its own."""
    for language in ("zh", "en"):
        pages = [
            Facts(
                bundle=BUNDLE,
                form=form.load(name, "x", language),
                permit=None,
                holds=(),
                number=f"park-B-{at:06d}",
                place=Place(1, b"h" * 32),
                printed_ns=told.wall_ns,
            )
            for at, name in enumerate((*form.names(), ""))
        ]
        data, lines = print_pages(faces, pages, _sealer(), language)
        assert text_of(data)[0] == len(pages) == len(lines)


def test_text_that_fits_keeps_its_size(faces: fonts.Fonts, told: Told) -> None:
    from datetime import UTC, datetime

    sheet = Sheet(faces, "zh", "t", datetime(2026, 7, 1, tzinfo=UTC))
    sheet.page()
    assert sheet._fit("清罐", 50, 6, 9, bold=False) == (9, ["清罐"])
    size, lines = sheet._fit("清罐" * 200, 50, 6, 9, bold=False)
    assert size <= 4.5
    assert lines[-1].endswith("…")
