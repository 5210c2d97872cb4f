"""Where the embedded Triton cannot run: one sentence says why, and everything else starts."""

import platform
import sys
from pathlib import Path

import pytest

from modelmanager.embedded import local_triton as local
from modelmanager.embedded import triton
from modelmanager.embedded.environment import read_environment
from modelmanager.embedded.installer import InstallationFailed
from modelmanager.embedded.interpreter import Interpreter
from modelmanager.embedded.triton import TritonInstallation, TritonUnsupported, refuse_unsupported_platform

THIS_PYTHON = Interpreter(Path(sys.executable), sys.version_info[1], "")


def test_another_processor_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(TritonUnsupported, match=r"^The embedded Triton runs on x86_64 Linux only, and this is aarch64"):
        refuse_unsupported_platform()


@pytest.mark.parametrize(("found", "told"), [((2, 31), "glibc 2.31"), (None, "another C library")])
def test_an_older_c_library_is_named(monkeypatch: pytest.MonkeyPatch, found: tuple[int, int] | None, told: str) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(triton, "_glibc_version", lambda: found)
    with pytest.raises(TritonUnsupported, match=f"needs glibc 2.35 or newer, and this system has {told}."):
        refuse_unsupported_platform()


@pytest.mark.parametrize(
    ("server", "told"),
    [
        ("kill -ILL $$", "The embedded Triton does not run on this CPU (it ended by signal 4)."),
        ("echo 'libz.so.1: not found' >&2; exit 127", "does not start here: libz.so.1: not found."),
    ],
)
def test_a_server_that_does_not_start_is_explained(tmp_path: Path, server: str, told: str) -> None:
    installation = TritonInstallation(tmp_path, THIS_PYTHON)
    installation.binary.parent.mkdir(parents=True)
    installation.binary.write_text(f"#!/bin/sh\n{server}\n")
    installation.binary.chmod(0o755)
    assert told in triton._why_not(installation)


def test_without_a_network_the_rest_starts_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*args: object, **more: object) -> None:
        raise InstallationFailed("error: connection refused.")

    monkeypatch.setattr(triton, "install_into", unreachable)
    monkeypatch.setattr(triton, "refuse_unsupported_platform", lambda: None)
    monkeypatch.setattr(local, "HOME", tmp_path / "triton")
    said: list[str] = []
    chosen = read_environment({"DATA_DIR": str(tmp_path / "data")})
    assert local.local_triton(chosen, tell=said.append) is None
    assert said[-1] == (
        "The embedded Triton could not be installed (is the network there?): error: connection refused. "
        "Everything else starts without it."
    )
    assert not [path for path in (tmp_path / "triton").iterdir() if path.is_dir()], "nothing half-done is left"
