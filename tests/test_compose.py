"""The container files, checked by parsers: no engine is needed, and none was there when they were written."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
APP_SERVICES = ("migrate", "web", "worker")
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::([-?])([^}]*))?\}")


@pytest.fixture(scope="module")
def text() -> str:
    return (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def services(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text)["services"]
    return found


def example_variables() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_every_part_is_there(services: dict[str, Any]) -> None:
    assert set(services) == {"migrate", "web", "worker", "mysql", "redis", "triton"}


def test_every_image_has_a_tag_that_names_a_version(services: dict[str, Any]) -> None:
    tags = {name: service["image"].rpartition(":")[2] for name, service in services.items()}
    assert all(re.match(r"\d+\.\d+", tag) for tag in tags.values()), tags
    assert tags["mysql"] == "8.4"
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert bases
    assert all(re.search(r":\d+\.\d+", base) for base in bases), bases


def test_what_the_application_gets_is_what_its_settings_read(services: dict[str, Any]) -> None:
    settings = ROOT / "modelmanager/settings/__init__.py"
    read = set(re.findall(r'env\.\w+\(\s*"(\w+)"', settings.read_text(encoding="utf-8")))
    read |= set(re.findall(r'environ\.get\("(\w+)"', (ROOT / "gunicorn.conf.py").read_text(encoding="utf-8")))
    for name in APP_SERVICES:
        assert set(services[name]["environment"]) <= read


def test_everyone_waits_for_what_it_needs(services: dict[str, Any]) -> None:
    assert services["migrate"]["depends_on"]["mysql"] == {"condition": "service_healthy"}
    for name in ("web", "worker"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert services[name]["depends_on"]["redis"] == {"condition": "service_healthy"}
    for name in ("web", "mysql", "redis", "triton"):
        assert services[name]["healthcheck"]["test"]


def test_triton_gets_a_gpu_and_obeys_us_alone(services: dict[str, Any]) -> None:
    devices = services["triton"]["deploy"]["resources"]["reservations"]["devices"]
    assert devices == [{"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}]
    assert "--model-control-mode=explicit" in services["triton"]["command"]


def test_secrets_come_from_outside_and_are_required(text: str) -> None:
    required = {name for name, kind, _ in VARIABLE.findall(text) if kind == "?"}
    assert {"SECRET_KEY", "CREDENTIAL_KEYS", "MYSQL_PASSWORD", "MYSQL_ROOT_PASSWORD"} <= required
    assert all(not example_variables()[name] for name in required)


def test_the_example_lists_exactly_the_variables_that_are_read(text: str) -> None:
    assert set(example_variables()) == {name for name, _, _ in VARIABLE.findall(text)}


def test_the_image_runs_as_somebody_else_than_root_and_copies_what_exists() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^USER (\w+)", dockerfile, re.MULTILINE) == ["modelmanager"]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for source in " ".join(copied).split():
        assert (ROOT / source).exists(), source
        assert f"!{source}" in allowed


def test_compose_itself_accepts_the_file(tmp_path: Path) -> None:
    if not shutil.which("docker") or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        pytest.skip("docker compose is not installed here; the parser tests above stand alone")
    filled = {name: value or "x" for name, value in example_variables().items()}
    env_file = tmp_path / "env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in filled.items()))
    argv = ["docker", "compose", "--env-file", str(env_file), "config", "--quiet"]
    checked = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
