"""AQ 3064.3 (domain 1.8): errors, uploads, fence and capacity in a noisy hall."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from integrations.positioning.acceptance import (
    Clause,
    Fence,
    Fix,
    Plan,
    Walk,
    inside,
    judge,
    percentile,
    table,
    to_line,
)
from tests.unit.positioning.walks import Hall, Steer, circle

#: The standard's fence: a square of 15 m, here in the hall's middle.
FENCE = Fence(polygon=((7.5, 7.5), (22.5, 7.5), (22.5, 22.5), (7.5, 22.5)))


def recorded(steer: Steer, node: str, begin: float, end: float) -> Walk:
    """Return the true way of a walk."""
    times = [begin + 0.2 * step for step in range(int((end - begin) / 0.2) + 1)]
    path = tuple((t, *steer(node, t)) for t in times)
    return Walk(tag=f"dwm-{node}", path=path)


def outcome(clauses: list[Clause]) -> dict[str, bool | None]:
    """Return which clauses hold."""
    return {clause.name: clause.holds for clause in clauses}


@pytest.fixture(scope="module")
def hall() -> tuple[Hall, Plan]:
    """Return a hall with walls, its tags heard at points and on walks."""
    hall = Hall(noise_m=0.12, nlos_share=0.08)
    walks = []
    points = [(6, 6), (15, 15), (24, 9), (9, 24), (26, 26)]
    nodes = [f"a{n:03d}" for n in range(len(points))]
    begin = hall.now()
    spots = dict(zip(nodes, points, strict=True))
    hall.walk(nodes, 60, 5, lambda node, _: spots[node])
    for node, at in spots.items():
        walks.append(Walk(tag=f"dwm-{node}", begin=begin, to=hall.now(), at=at))
    for number, radius in enumerate((6.0, 13.0, 6.0, 13.0)):
        node, steer = f"b{number:03d}", circle(radius, turn=number)
        begin = hall.now()
        hall.walk([node], 60, 5, steer)
        walks.append(recorded(steer, node, begin + 0.2, hall.now()))
    # In at one side of the fence and out at the other, again and again.
    for number in range(6):
        node = f"c{number:03d}"
        start, row = hall.now(), 12.0 + number

        def across(_: str, t: float, start: float = start, row: float = row) -> tuple:  # type: ignore[type-arg]
            return min(2 + 1.2 * (t - start), 28.0), row

        hall.walk([node], 22, 5, across)
        walks.append(recorded(across, node, start + 0.2, hall.now()))
    return hall, Plan(walks=tuple(walks), fence=FENCE)


def test_hall_passes_every_clause(hall: tuple[Hall, Plan]) -> None:
    """68.27 % of errors within 3 m still and 5 m moving, 30 uploads a minute, fence."""
    clauses = judge(hall[0].fixes, hall[1])
    assert outcome(clauses) == {
        "static error": True,
        "moving error": True,
        "uploads": True,
        "accuracy told": True,
        "fence, missed": True,
        "fence, false": True,
        "fence, warned": True,
    }, table(clauses)


def test_errors_stay_far_within_the_standards(hall: tuple[Hall, Plan]) -> None:
    """Multilateration by four anchors is a matter of decimetres, walls or none."""
    values = {c.name: c.value for c in judge(hall[0].fixes, hall[1])}
    assert float(values["static error"].split()[0]) < 0.6
    assert float(values["moving error"].split()[0]) < 0.8


def test_two_hundred_tags_are_kept_apart() -> None:
    """Capacity: 200 tags, each told as often as it was heard."""
    hall = Hall()
    nodes = [f"{n:04x}" for n in range(0x100, 0x100 + 200)]
    spots = {n: (3 + i % 20 * 1.2, 3 + i // 20 * 2.4) for i, n in enumerate(nodes)}
    hall.walk(nodes, 10, 1, lambda node, _: spots[node])
    walks = [Walk(tag=f"dwm-{n}", begin=10, to=hall.now(), at=spots[n]) for n in nodes]
    clauses = outcome(judge(hall.fixes, Plan(walks=tuple(walks))))
    assert clauses["uploads"] and clauses["static error"]
    assert len(hall.book.tags) == 200


def test_bad_system_fails_by_clause() -> None:
    """A test that cannot fail proves nothing."""
    walk = Walk(tag="t", begin=0, to=60, at=(15, 15))
    far = [Fix(t=t, tag="t", x=19, y=15, accuracy=0.5) for t in range(0, 60, 4)]
    found = outcome(judge(far, Plan(walks=(walk,), fence=FENCE)))
    assert found["static error"] is False
    assert found["uploads"] is False
    assert found["accuracy told"] is False
    out = [Fix(t=t, tag="t", x=26, y=15) for t in range(60)]
    assert outcome(judge(out, Plan(walks=(walk,), fence=FENCE)))["fence, missed"] is (
        False
    )
    away = Walk(tag="t", begin=0, to=60, at=(28, 28))
    near = [Fix(t=t, tag="t", x=15, y=15) for t in range(60)]
    assert outcome(judge(near, Plan(walks=(away,), fence=FENCE)))["fence, false"] is (
        False
    )
    nothing = outcome(judge([], Plan(walks=(walk,))))
    assert nothing["static error"] is False and nothing["moving error"] is None


def test_parts_of_the_judgement() -> None:
    assert percentile([1, 2, 3, 4], 0.5) == 2
    assert percentile([5], 0.6827) == 5
    square = FENCE.polygon
    assert inside(square, (15, 15)) and not inside(square, (0, 0))
    assert to_line(square, (15, 15)) == 7.5
    walk = Walk(tag="t", path=((0, 0, 0), (10, 10, 0)))
    assert walk.where(5) == (5.0, 0.0) and walk.where(10) == (10, 0)


def test_tool_prints_each_clause_and_ends_by_the_outcome(tmp_path: Path) -> None:
    fixes = [
        {"t": t, "tag": "t", "x": 3.2, "y": 4.0, "accuracy": 0.5} for t in range(90)
    ]
    file, walk = tmp_path / "fixes.jsonl", tmp_path / "walk.yaml"
    file.write_text("\n".join(map(json.dumps, fixes)))
    walk.write_text("walks:\n  - {tag: t, from: 0, to: 89, at: [3.0, 4.0]}\n")
    module = "integrations.positioning.acceptance"
    call = [sys.executable, "-m", module, "--fixes", str(file), "--walk", str(walk)]
    done = subprocess.run(call, check=False, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    assert "static error" in done.stdout and "pass" in done.stdout
    walk.write_text("walks:\n  - {tag: t, from: 0, to: 89, at: [30.0, 4.0]}\n")
    done = subprocess.run(call, check=False, capture_output=True, text=True, timeout=50)
    assert done.returncode == 1 and "FAIL" in done.stdout
    file.write_text('{"t": 1}\n')
    done = subprocess.run(call, check=False, capture_output=True, text=True, timeout=50)
    assert done.returncode == 2 and "fixes.jsonl:1" in done.stderr
