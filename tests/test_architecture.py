"""Imports run one way: monitoring → usage → models_registry → modelmanager.lib; rules see no database or network."""

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Lowest first: a layer sees itself and those before it.
LAYERS = ("models_registry", "usage", "monitoring")
# Of the project itself, the layers see its library; their doors also what all doors share.
PROJECT = "modelmanager"
LIBRARY, DOORS_SHARE = "modelmanager.lib", "modelmanager.api"
# What the project's parts that are no doors may see of the layers: nothing.
BLIND = ("modelmanager/lib", "modelmanager/api")
# Doors of the embedded product, which is driven by commands: what they need of it is about processes and files.
EMBEDDED = {"monitoring/demo.py", "monitoring/management/commands/worker.py"}
# Pure: values in, values out. The vocabulary is a list of words; translating one reads no table.
PURE = ("*/rules/*.py", "*/judge.py", "*/judge_api.py", "*/wanted.py", "*/fit.py", "*/opening_hours.py")
PURE_MAY = ("models_registry.vocabulary", "monitoring.vocabulary", "django.utils.translation")
IMPURE = (
    *("django", "rest_framework", "django_q", "requests", "tritonclient", "openai", "socket", "urllib", "http"),
    *("redis", "subprocess", "models_registry.models", "models_registry.services", "models_registry.facts"),
    *("usage.models", "usage.services", "monitoring.models", "models_registry.gateways"),
)


def imports(path: Path, root: Path) -> Iterator[str]:
    """Dotted names of all that a file imports, anywhere in it: `from a import b` is `a.b`."""
    package = path.relative_to(root).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _loads(node):
            yield from (str(argument.value) for argument in node.args[:1] if isinstance(argument, ast.Constant))


def _loads(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name in ("import_module", "import_string", "__import__")


def is_in(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def sources(root: Path, *folders: str) -> list[Path]:
    found = (path for folder in folders for path in sorted((root / folder).rglob("*.py")))
    return [path for path in found if "migrations" not in path.parts]


def violations(root: Path) -> list[str]:
    """Every import that runs the wrong way, as `file: name`."""
    found = []
    for path in sources(root, PROJECT, *LAYERS):
        file = path.relative_to(root).as_posix()
        found += [f"{file}: {name}" for name in imports(path, root) if _is_wrong(file, path, root, name)]
    return found


def _is_wrong(file: str, path: Path, root: Path, name: str) -> bool:
    layer = file.partition("/")[0]
    if layer in LAYERS:
        above = LAYERS[LAYERS.index(layer) + 1 :]
        if is_in(name, above) or (is_in(name, (PROJECT,)) and not _may_see_of_the_project(file, name)):
            return True
    if file.startswith(BLIND) and is_in(name, LAYERS):
        return True
    if file.startswith("modelmanager/lib/") and is_in(name, (PROJECT,)) and not is_in(name, (LIBRARY,)):
        return True
    if file.startswith("models_registry/providers/") and is_in(name, ("django", "rest_framework", "django_q")):
        return True
    is_pure = any(path.relative_to(root).match(pattern) for pattern in PURE)
    return is_pure and is_in(name, IMPURE) and not is_in(name, PURE_MAY)


def _may_see_of_the_project(file: str, name: str) -> bool:
    is_door = "/api/" in file or file == "usage/authentication.py"
    return (
        is_in(name, (LIBRARY,))
        or (is_door and is_in(name, (DOORS_SHARE,)))
        or (file in EMBEDDED and is_in(name, ("modelmanager.embedded",)))
    )


def test_imports_run_one_way() -> None:
    assert violations(ROOT) == []


def test_there_is_something_to_look_at() -> None:
    pure = [path for pattern in PURE for path in ROOT.glob(pattern)]
    assert {path.stem for path in pure} >= {"plan", "follow", "judge", "wanted", "fit"}
    assert len(sources(ROOT, *LAYERS)) > 80
    assert all((ROOT / file).exists() for file in EMBEDDED)


PLANTED = {
    "the registry sees use": ("models_registry/services/x.py", "from usage.models import Lease"),
    "the registry sees monitoring in a function": (
        "models_registry/x.py",
        "def f():\n    import monitoring.reconcile",
    ),
    "use sees monitoring by a relative name": ("usage/services/x.py", "from ...monitoring import sync"),
    "use sees monitoring by its text": ("usage/x.py", "import_module('monitoring.sync')"),
    "the registry sees a whole layer": ("models_registry/x.py", "import usage as u"),
    "the library sees the registry": ("modelmanager/lib/x.py", "from models_registry import models"),
    "the library sees the settings": ("modelmanager/lib/x.py", "from modelmanager import settings"),
    "what doors share sees use": ("modelmanager/api/x.py", "def f():\n    from usage.models import Client"),
    "a service sees what doors share": ("models_registry/services/x.py", "from modelmanager.api import fields"),
    "a layer sees the console": ("monitoring/x.py", "from modelmanager.console import pages"),
    "a layer sees the embedded product": ("usage/x.py", "from modelmanager.embedded import triton"),
    "a gateway sees Django": ("models_registry/providers/x.py", "def f():\n    from django.conf import settings"),
    "a rule sees tables": ("monitoring/rules/x.py", "from models_registry.models import Provider"),
    "a rule sees the clock's framework": ("monitoring/rules/x.py", "from django.utils import timezone"),
    "the judge sees the network": ("models_registry/judge.py", "import requests"),
    "wanted sees queries": ("models_registry/wanted.py", "from django.db.models import Q"),
    "fit is typed by tables": ("models_registry/fit.py", "if TYPE_CHECKING:\n    from usage.models import Lease"),
}


@pytest.mark.parametrize(("file", "source"), list(PLANTED.values()), ids=list(PLANTED))
def test_a_planted_import_is_found(tmp_path: Path, file: str, source: str) -> None:
    planted = tmp_path / file
    planted.parent.mkdir(parents=True)
    planted.write_text(textwrap.dedent(source))
    assert [violation.partition(":")[0] for violation in violations(tmp_path)] == [file]


FINE = {
    "monitoring sees everything below": ("monitoring/x.py", "from usage.models import Lease\nimport models_registry"),
    "a layer sees the library": ("models_registry/x.py", "from modelmanager.lib.clock import now"),
    "a door sees what doors share": ("usage/api/x.py", "from modelmanager.api.fields import validated"),
    "a door of the project sees the layers": ("modelmanager/urls.py", "from monitoring.api import health"),
    "the console sees the layers": ("modelmanager/console/x.py", "import monitoring.sync, usage.services"),
    "a rule sees the vocabulary": ("monitoring/rules/x.py", "from models_registry.vocabulary import Observed"),
    "a name that only begins alike": ("models_registry/x.py", "import usage_of_words, monitoring2"),
}


@pytest.mark.parametrize(("file", "source"), list(FINE.values()), ids=list(FINE))
def test_what_is_allowed_is_not_found(tmp_path: Path, file: str, source: str) -> None:
    planted = tmp_path / file
    planted.parent.mkdir(parents=True)
    planted.write_text(source)
    assert violations(tmp_path) == []
