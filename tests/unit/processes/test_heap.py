"""What a process asks of the machine: big pages, and free memory given back."""

import sys

import pytest

from core.processes import heap

_MANY = 200_000


def test_the_heap_is_gathered_in_whole_big_pages() -> None:
    """Where the kernel can (Linux 6.1 and later); what was in it stays as it was."""
    kept = [(number, str(number)) for number in range(_MANY)]
    gathered = heap.gather()
    assert gathered % (2 << 20) == 0
    assert kept == [(number, str(number)) for number in range(_MANY)]


def test_a_kernel_that_refuses_leaves_all_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(heap, "_MADV_COLLAPSE", -1)
    assert heap.gather() == 0


def test_a_machine_that_shows_no_map_is_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(heap, "_MAPS", "/proc/self/no-such-map")
    assert heap.gather() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="a call of glibc")
def test_memory_is_given_back_and_what_is_used_stays() -> None:
    kept = [bytes([number % 256]) * 300 for number in range(10_000)]
    heap.give_back()
    assert kept[9_999] == bytes([9_999 % 256]) * 300
