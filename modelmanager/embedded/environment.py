"""What a person may set from outside, read once and refused early."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from modelmanager.lib.sqlite_urls import sqlite_url

ROOT = Path(__file__).resolve().parents[2]
DATABASE_SCHEMES = ("sqlite", "mysql")


class BadValue(ValueError):
    """A variable that cannot be used; the text is one sentence for the person who set it."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The choices behind one `make run`; ports are TCP ports on `host`."""

    host: str
    port: int
    data_dir: Path
    triton_port: int
    triton_url: str  # of an existing server; empty: start one
    web_processes: int
    database_url: str

    @property
    def url(self) -> str:
        """Where a browser on this machine reaches the product."""
        return f"http://{self.host_of_url}:{self.port}"

    @property
    def host_of_url(self) -> str:
        """The host by which this machine calls it."""
        everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
        return _bracketed(everywhere.get(self.host, self.host))

    @property
    def bind(self) -> str:
        """Where the web server listens, as gunicorn takes it."""
        return f"{_bracketed(self.host)}:{self.port}"

    @property
    def triton_ports(self) -> tuple[int, int, int]:
        """HTTP, gRPC and metrics of the embedded Triton."""
        return (self.triton_port, self.triton_port + 1, self.triton_port + 2)

    def path(self, name: str) -> Path:
        """A file of this installation in DATA_DIR."""
        return self.data_dir / name


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def read_environment(environ: Mapping[str, str]) -> Environment:
    """The choices in `environ`, with defaults; raises BadValue."""
    data_dir = _data_dir(environ)
    chosen = Environment(
        host=environ.get("HOST") or "127.0.0.1",
        port=whole_number(environ, "PORT", default=8000, least=1, most=65535),
        data_dir=data_dir,
        triton_port=whole_number(environ, "TRITON_PORT", default=18000, least=1, most=65533),
        triton_url=_triton_url(environ),
        web_processes=whole_number(environ, "WEB_PROCESSES", default=1, least=1, most=64),
        database_url=_database_url(environ, data_dir),
    )
    if not chosen.triton_url and chosen.port in chosen.triton_ports:
        raise BadValue(
            f"PORT={chosen.port} lies within Triton's three ports {chosen.triton_port} to {chosen.triton_port + 2}: "
            "choose another PORT or TRITON_PORT."
        )
    return chosen


def whole_number(environ: Mapping[str, str], name: str, *, default: int, least: int, most: int) -> int:
    """A number that somebody may set; raises BadValue."""
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise BadValue(f"{name}={text} is not a whole number from {least} to {most}.")
    return int(text)


def _data_dir(environ: Mapping[str, str]) -> Path:
    path = Path(environ.get("DATA_DIR") or ROOT / "var").expanduser().absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = path / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise BadValue(f"DATA_DIR={path} cannot be written to: {error.strerror}.") from error
    return path


def _triton_url(environ: Mapping[str, str]) -> str:
    text = environ.get("TRITON_URL", "").strip().rstrip("/")
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        usable = False
    if text and not usable:
        raise BadValue(f"TRITON_URL={text} is not an address like http://gpu-host:8000.")
    return text


def _database_url(environ: Mapping[str, str], data_dir: Path) -> str:
    text = environ.get("DATABASE_URL", "").strip() or sqlite_url(data_dir / "db.sqlite3")
    scheme = text.partition(":")[0]
    if scheme not in DATABASE_SCHEMES or "://" not in text:  # the rest may hold a password: it is not repeated
        raise BadValue("DATABASE_URL must look like sqlite:////path/to/file or mysql://user:password@host:3306/name.")
    if scheme == "mysql" and importlib.util.find_spec("MySQLdb") is None:
        raise BadValue(
            "DATABASE_URL names MySQL, but the MySQL driver is not installed: install default-libmysqlclient-dev, "
            "pkg-config and a compiler, then run the command again."
        )
    return text
