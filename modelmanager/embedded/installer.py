"""Installing one package, without what it depends on, into a folder of its own."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

TIMEOUT_S = 900


class InstallationFailed(RuntimeError):
    """No installer could do it; the text is the last one's reason, one sentence."""


def install_into(target: Path, package: str, *, python: str = "") -> None:
    """Install `package` into `target`, for another Python than the running one where `python` names it ("3.11").

    Raises InstallationFailed.
    """
    failures = []
    for_another = ["--python-version", python, "--only-binary", ":all:"] if python else []
    for installer in _installers():
        command = [*installer, "install", "--quiet", "--no-deps", *for_another, "--target", str(target), package]
        try:
            ended = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            failures.append(f"no end after {TIMEOUT_S} s.")
            continue
        if ended.returncode == 0:
            return
        failures.append(last_words(ended.stderr or ended.stdout))
    raise InstallationFailed(failures[-1] if failures else "neither uv nor pip is there.")


def _installers() -> list[list[str]]:
    """uv where it is there, then pip, which may know an index that uv does not."""
    folders = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    uv = shutil.which("uv", path=folders)
    found = [[uv, "pip"]] if uv else []
    if importlib.util.find_spec("pip"):
        found.append([sys.executable, "-m", "pip", "--retries", "1", "--timeout", "20", "--disable-pip-version-check"])
    return found


def last_words(output: str) -> str:
    """The line of a program's output that says why it failed, as a sentence."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in lines if line.lower().startswith("error")] or lines or ["no reason was given"]
    return told[-1][:300].rstrip(".") + "."
