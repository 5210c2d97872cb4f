"""Figures reach the document from the program that printed them, and from nowhere else."""

import pytest

from benchmarks.record import DOCUMENT, NAMES, recorded

BLOCK = "before\n<!-- printed by sync -->\n```\nold\n```\nafter\n"


def test_what_was_printed_replaces_the_old_block_and_nothing_else():
    assert recorded(BLOCK, "sync", "new\n") == BLOCK.replace("old", "new")


def test_a_backslash_is_printed_as_it_is():
    assert r"\1 \d" in recorded(BLOCK, "sync", r"\1 \d")


def test_a_document_without_the_block_is_refused():
    with pytest.raises(ValueError, match="0 blocks for hand_over"):
        recorded(BLOCK, "hand_over", "new")


@pytest.mark.parametrize("name", NAMES)
def test_the_document_has_a_block_for_every_benchmark(name: str):
    assert "printed" in recorded(DOCUMENT.read_text(encoding="utf-8"), name, "printed")
