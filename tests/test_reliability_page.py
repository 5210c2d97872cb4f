"""docs/reliability.md names tests that exist, for every fault it lists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "reliability.md").read_text("utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| fault", "| trap |"))]


def functions_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def is_marked_for_triton(path: str) -> bool:
    """Whether the test's file bears the mark of the real Triton."""
    return "mark.triton" in (ROOT / path).read_text("utf-8")


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED.findall(PAGE))))
def test_a_named_test_exists(path: str, name: str):
    assert name in functions_of(path)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:40])
def test_every_fault_names_a_test(row: str):
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert len(cells) == 4 and all(cells)
    assert NAMED.search(cells[3])


def test_each_trap_has_its_row():
    assert [int(number) for number in re.findall(r"^\| (\d+): ", PAGE, re.MULTILINE)] == list(range(1, 16))


def test_what_is_said_to_run_the_real_triton_does():
    said = re.findall(r"● `(tests/[\w/]+\.py)::", PAGE)
    assert said
    assert [path for path in said if not is_marked_for_triton(path)] == []
