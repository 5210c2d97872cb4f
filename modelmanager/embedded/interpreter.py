"""Which Python runs the models of the embedded Triton.

Its stubs speak to numpy 1 only: with numpy 2 a model loads, and dies at its first request. numpy 1 ends at
Python 3.12. A stub also needs its Python as a shared library, which not every build brings. So when the
running Python does not fit, another one of this machine is taken, and Python 3.13 only as the last resort.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

FIRST, LAST = (3, 9), (3, 13)  # there is a stub for each
LAST_OF_NUMPY_1 = (3, 12)
_ASK = (
    "import json, platform, sys, sysconfig;"
    "print(json.dumps([platform.python_implementation(), sys.version_info[:2], sys.executable,"
    " sysconfig.get_config_var('LIBDIR')]))"
)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A CPython that may run models; `libraries` is the folder that holds its shared library, if it has one."""

    executable: Path
    minor: int
    libraries: str

    @property
    def version(self) -> str:
        """Such as "3.11"."""
        return f"3.{self.minor}"

    @property
    def answers_requests(self) -> bool:
        """Whether models can do more than load and unload."""
        return (3, self.minor) <= LAST_OF_NUMPY_1

    @property
    def numpy(self) -> str:
        """The package its models need."""
        return "numpy==1.26.4" if self.answers_requests else "numpy==2.2.6"

    def make_home(self, folder: Path) -> None:
        """Make a virtual environment of this Python in `folder`, with nothing in it."""
        subprocess.run(
            [self.executable, "-I", "-m", "venv", "--without-pip", folder], capture_output=True, timeout=60, check=True
        )

    def site_packages(self, folder: Path) -> Path:
        """Where modules lie in the virtual environment `folder`."""
        return folder / "lib" / f"python{self.version}" / "site-packages"

    def environment(self, folder: Path) -> dict[str, str]:
        """Variables that make a stub take this Python, its library, and the modules in `folder`.

        A stub is isolated, it heeds no PYTHONPATH: it takes the first python3 on PATH, and what belongs to that.
        """
        path = [str(folder / "bin"), os.environ.get("PATH", os.defpath)]
        libraries = [self.libraries, os.environ.get("LD_LIBRARY_PATH", "")]
        return {
            "PATH": os.pathsep.join(path),
            "LD_LIBRARY_PATH": os.pathsep.join(library for library in libraries if library),
        }


def fitting_interpreters() -> list[Interpreter]:
    """Those that answer requests first: the running Python, then others on PATH, the newest first."""
    names = [*(f"python3.{minor}" for minor in range(LAST[1], FIRST[1] - 1, -1)), "/usr/bin/python3"]
    found = [one for one in (_this_one(), *map(_ask, names)) if one is not None]
    first_of_each = {one.executable: one for one in reversed(found)}
    different = [one for one in found if first_of_each[one.executable] is one]
    return sorted(different, key=lambda one: not one.answers_requests)


def _this_one() -> Interpreter | None:
    return _fitting(sys.implementation.name, sys.version_info[:2], sys.executable, sysconfig.get_config_var("LIBDIR"))


def _ask(name: str) -> Interpreter | None:
    program = shutil.which(name)
    if program is None:
        return None
    try:
        told = subprocess.run([program, "-I", "-c", _ASK], capture_output=True, timeout=10, check=True).stdout
        implementation, version, executable, libraries = json.loads(told)
    except (OSError, subprocess.SubprocessError, ValueError):  # a shim without its Python, for one
        return None
    return _fitting(implementation, tuple(version), executable, libraries)


def _fitting(
    implementation: str, version: tuple[int, ...], executable: str, libraries: str | None
) -> Interpreter | None:
    if implementation.lower() != "cpython" or not FIRST <= version <= LAST:
        return None
    return Interpreter(Path(executable), version[1], libraries or "")
