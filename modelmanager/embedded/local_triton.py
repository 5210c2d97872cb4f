"""The Triton that `make run` brings along, where this machine can run one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from modelmanager.embedded.environment import ROOT, Environment
from modelmanager.embedded.plain_paths import plain
from modelmanager.embedded.repository import write_demo_repository
from modelmanager.embedded.triton import TritonInstallation, TritonUnsupported, install

HOME = ROOT / ".venv" / "triton"


@dataclass(frozen=True, slots=True)
class LocalTriton:
    """An installed Triton with its demo repository, listening on this machine only."""

    installation: TritonInstallation
    repository: Path
    port: int

    @property
    def url(self) -> str:
        """Its HTTP address."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> tuple[list[str], Mapping[str, str]]:
        """How to start it."""
        argv, env = self.installation.command(self.repository, http_port=self.port, host="127.0.0.1")
        return list(argv), env


def local_triton(chosen: Environment, *, tell: Callable[[str], None]) -> LocalTriton | None:
    """Install Triton if need be and write its repository; None, with the reason told, where it cannot run."""
    if chosen.triton_url:
        return None
    try:
        installation = install(HOME, progress=tell)
    except TritonUnsupported as reason:
        tell(f"{reason} Everything else starts without it.")
        return None
    repository = chosen.path("triton-models")
    write_demo_repository(repository)
    try:
        repository = plain(repository)
    except OSError as error:
        tell(f"The embedded Triton cannot use {repository} ({error}). Everything else starts without it.")
        return None
    return LocalTriton(installation, repository, chosen.triton_port)
