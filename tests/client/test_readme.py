"""The example in the client's README is what the package offers."""

import ast
import re
from pathlib import Path

import model_manager_client
import pytest

README = Path(__file__).parents[2] / "clients" / "python" / "README.md"
EXAMPLE = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
ERRORS = sorted(
    name
    for name, thing in vars(model_manager_client).items()
    if isinstance(thing, type) and issubclass(thing, model_manager_client.ModelManagerError)
)


def test_the_example_is_short_and_imports_what_there_is() -> None:
    assert EXAMPLE is not None
    lines = [line for line in EXAMPLE[1].splitlines() if line]
    assert len(lines) <= 11
    (imported,) = [node for node in ast.walk(ast.parse(EXAMPLE[1])) if isinstance(node, ast.ImportFrom)]
    assert {name.name for name in imported.names} <= set(model_manager_client.__all__)


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_is_told_of_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README.read_text(encoding="utf-8")
