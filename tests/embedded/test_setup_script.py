"""`scripts/setup`: what it says when it cannot do its work."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from modelmanager.embedded.environment import ROOT


def run_setup(home: Path, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    (home / "scripts").mkdir()
    for path in (*ROOT.glob("requirements*.txt"), ROOT / "scripts" / "setup"):
        shutil.copy(path, home / path.relative_to(ROOT))
    argv = ["bash", str(home / "scripts/setup"), *arguments]
    return subprocess.run(
        argv, env={"PATH": "/usr/bin:/bin", **env}, capture_output=True, text=True, timeout=180, cwd=home
    )


def test_a_python_that_is_too_old_or_does_not_run_is_refused_in_one_sentence(tmp_path: Path) -> None:
    shim = tmp_path / "python3.13"
    shim.write_text("#!/bin/sh\necho 'python3.13: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    refused = run_setup(tmp_path, "run", PYTHON=str(shim))
    assert refused.returncode == 1
    assert refused.stderr == (
        f"[setup] PYTHON={shim} does not run, or is no Python 3.11 or newer with its venv module.\n"
    )
    assert not (tmp_path / ".venv").exists()


def test_an_unknown_mode_is_refused(tmp_path: Path) -> None:
    refused = run_setup(tmp_path, "everything")
    assert refused.returncode == 1
    assert refused.stderr == "[setup] usage: scripts/setup [run|dev]\n"


@pytest.mark.slow
def test_without_a_network_one_sentence_says_what_to_check(tmp_path: Path) -> None:
    refused = run_setup(
        tmp_path,
        "run",
        PYTHON=sys.executable,
        HOME=str(tmp_path),
        PIP_CONFIG_FILE="/dev/null",
        PIP_NO_CACHE_DIR="1",
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
    )
    assert refused.returncode == 1
    assert refused.stderr == (
        "[setup] The packages could not be installed: check the network (or your package index) and run this again; "
        "the details are in .venv/setup.log.\n"
    )
    assert "127.0.0.1" in (tmp_path / ".venv/setup.log").read_text()
    assert not list((tmp_path / ".venv").glob(".stamp-*")), "the next run tries again"
