"""A real Triton server without Docker and without a GPU: the one inside the package nvidia-pytriton.

Only its binary and Python backend are used, from a folder of their own, with a numpy of their own.
"""

import fcntl
import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from modelmanager.embedded.installer import InstallationFailed, install_into, last_words
from modelmanager.embedded.interpreter import Interpreter, fitting_interpreters
from modelmanager.embedded.plain_paths import plain

PACKAGE = "nvidia-pytriton==0.7.0"
LEAST_GLIBC = (2, 35)  # of the only wheel there is, manylinux_2_35_x86_64
EXIT_TIMEOUT_S = 4
PROBE_TIMEOUT_S = 30
# Models are code of others: they get no secrets, and not our way of finding modules.
NOT_FOR_MODELS = {"PYTHONHOME", "PYTHONPATH", "SECRET_KEY", "CREDENTIAL_KEYS", "DATABASE_URL"}

Progress = Callable[[str], None]


class TritonUnsupported(RuntimeError):
    """The embedded Triton cannot run, or not be installed, here; the text is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class TritonInstallation:
    """An installed Triton that was seen to start; everything lies below `home`."""

    home: Path
    interpreter: Interpreter

    @property
    def site(self) -> Path:
        """The folder the package was installed into."""
        return _site(self.home)

    @property
    def binary(self) -> Path:
        """The server's program."""
        return _server(self.home) / "bin/tritonserver"

    @property
    def backends(self) -> Path:
        """The backends with the stub of `interpreter`; as deep as the original, for its relative RPATH."""
        return _server(self.home) / f"backends-{self.interpreter.version}"

    @property
    def stub(self) -> Path:
        """The program that runs a model of the Python backend."""
        return self.backends / "python/triton_python_backend_stub"

    @property
    def python(self) -> Path:
        """The virtual environment of the models: `interpreter` with its numpy."""
        return self.home / f"python{self.interpreter.version}-{self.interpreter.numpy.replace('==', '-')}"

    def command(self, repository: Path, *, http_port: int, host: str = "127.0.0.1") -> tuple[list[str], dict[str, str]]:
        """Arguments and complete environment of a server under explicit model control.

        gRPC listens on `http_port` + 1, metrics on + 2. Nothing is loaded at the start.
        """
        ports = {"http": http_port, "grpc": http_port + 1, "metrics": http_port + 2}
        listening = [f"--{kind}-{what}" for kind, port in ports.items() for what in (f"address={host}", f"port={port}")]
        return [
            str(self.binary),
            f"--model-repository={plain(repository)}",
            "--model-control-mode=explicit",
            "--disable-auto-complete-config",  # ours are complete; it would start each model twice: 1.2 s a load
            f"--backend-directory={self.backends}",
            f"--exit-timeout-secs={EXIT_TIMEOUT_S}",
            *listening,
        ], self.environment()

    def environment(self) -> dict[str, str]:
        """What the server and its models need."""
        ours = {name: value for name, value in os.environ.items() if name not in NOT_FOR_MODELS}
        return ours | self.interpreter.environment(self.python)


def install(home: Path, *, progress: Progress = print) -> TritonInstallation:
    """Make sure that Triton is installed below `home` and starts; a second call takes a tenth of a second.

    Safe to call from several processes at once. Raises TritonUnsupported with one sentence.
    """
    refuse_unsupported_platform()
    try:
        home.mkdir(parents=True, exist_ok=True)
        home = plain(home)
        with _alone(home):
            if not _site(home).exists():
                progress("Fetching Triton (55 MB, once) …")
                with _draft_of(_site(home)) as draft:
                    install_into(draft, PACKAGE)
            installation = _first_that_starts(home)
            _prepare_python(installation)
    except InstallationFailed as failure:
        raise TritonUnsupported(
            f"The embedded Triton could not be installed (is the network there?): {failure}"
        ) from failure
    except OSError as error:
        raise TritonUnsupported(f"The embedded Triton could not be written below {home}: {error}.") from error
    except subprocess.SubprocessError as error:
        raise TritonUnsupported(f"The embedded Triton's models need Python's venv module: {error}.") from error
    if not installation.interpreter.answers_requests:
        progress("Triton's models load and unload here, but answer requests only where Python 3.9 to 3.12 is, too.")
    return installation


def refuse_unsupported_platform() -> None:
    """Raises TritonUnsupported where there is no build for this machine."""
    system, machine = sys.platform, platform.machine()
    if system != "linux" or machine not in ("x86_64", "AMD64"):
        raise TritonUnsupported(f"The embedded Triton runs on x86_64 Linux only, and this is {machine} {system}.")
    glibc = _glibc_version()
    if glibc is None or glibc < LEAST_GLIBC:
        found = "another C library" if glibc is None else f"glibc {glibc[0]}.{glibc[1]}"
        raise TritonUnsupported(f"The embedded Triton needs glibc 2.35 or newer, and this system has {found}.")


def _glibc_version() -> tuple[int, int] | None:
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        major, minor = version.split(".")[:2]
        return (int(major), int(minor)) if name == "glibc" else None
    except (ValueError, OSError):
        return None


def _site(home: Path) -> Path:
    return home / PACKAGE.replace("==", "-")


def _server(home: Path) -> Path:
    return _site(home) / "pytriton/tritonserver"


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    with (home / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _draft_of(target: Path) -> Iterator[Path]:
    """A folder that becomes `target` when all went well: `target` exists only when it is complete."""
    for leftover in target.parent.glob("draft-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=target.parent))
    try:
        yield draft
        draft.chmod(0o755)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _first_that_starts(home: Path) -> TritonInstallation:
    """With the first Python of this machine that its stub starts with; the first refusal is told if none does."""
    refusals = []
    for interpreter in fitting_interpreters():
        installation = TritonInstallation(home, interpreter)
        _prepare_backends(installation)
        refusal = _why_not(installation)
        if not refusal:
            return installation
        refusals.append(refusal)
    none_found = "The embedded Triton runs its models on Python 3.9 to 3.12: install one of them beside this one."
    raise TritonUnsupported(refusals[0] if refusals else none_found)


def _prepare_backends(installation: TritonInstallation) -> None:
    """A copy of the backends with the stub for the chosen Python in it."""
    if installation.stub.exists():
        return
    server = _server(installation.home)
    with _draft_of(installation.backends) as draft:
        shutil.copytree(server / "backends", draft, dirs_exist_ok=True)
        stub = draft / "python" / installation.stub.name
        shutil.copy2(server / "python_backend_stubs" / installation.interpreter.version / stub.name, stub)
        for program in (stub, installation.binary):
            program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def _prepare_python(installation: TritonInstallation) -> None:
    if installation.python.exists():
        return
    interpreter = installation.interpreter
    with _draft_of(installation.python) as draft:
        interpreter.make_home(draft)
        install_into(interpreter.site_packages(draft), interpreter.numpy, python=interpreter.version)


def _why_not(installation: TritonInstallation) -> str:
    """Why it does not start, empty when it does: with a stub that cannot, the server would wait without an end.

    The server tells its options, the stub (which has none) that arguments are missing.
    """
    for command, expected in (
        ([installation.binary, "--help"], "model-repository"),
        ([installation.stub], "arguments"),
    ):
        try:
            ended = subprocess.run(
                [str(part) for part in command],
                env=installation.environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=PROBE_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"The embedded Triton does not start here: {error}."
        if expected not in ended.stdout + ended.stderr:
            return _reason(ended, installation.interpreter)
    return ""


def _reason(ended: "subprocess.CompletedProcess[str]", interpreter: Interpreter) -> str:
    library = f"libpython{interpreter.version}.so"
    if library in ended.stderr:
        return (
            f"The embedded Triton needs {library}.1.0, which {interpreter.executable} does not bring "
            f"(Debian, Ubuntu: apt install libpython{interpreter.version})."
        )
    if ended.returncode < 0:
        return f"The embedded Triton does not run on this CPU (it ended by signal {-ended.returncode})."
    return f"The embedded Triton does not start here: {last_words(ended.stderr)}"
