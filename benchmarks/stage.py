"""Where a benchmark plays: a database, a data folder, a web server, a worker. All of it is gone afterwards."""

import contextlib
import io
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from modelmanager.installation import make_secrets

ROOT = Path(__file__).resolve().parents[1]
MARIADB = "mysql://root@127.0.0.1:3306"
UP_WITHIN_S = 60.0
END_WITHIN_S = 10.0

Result = TypeVar("Result")


class StageFailed(RuntimeError):
    """The benchmark could not be set up; the text says what is missing."""


@dataclass(frozen=True)
class Stage:
    """One database with an empty product on it, in a folder of its own."""

    name: str
    folder: Path
    env: dict[str, str]
    """What makes `manage.py` and the web server work on this stage's data, and nobody else's."""
    _inside: ProcessPoolExecutor

    def client_key(self) -> str:
        """A new key with every scope that a benchmark needs."""
        return self.manage("create_client", "benchmark", "--scopes", "read,use,manage").split()[-1]

    def manage(self, *arguments: str) -> str:
        """Run a management command; what it printed. Raises StageFailed."""
        try:
            return self.run(_command, *arguments)
        except Exception as error:
            raise StageFailed(f"manage.py {arguments[0]} failed: {error}") from error

    def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """The function's result from a process in which Django works on this stage's data; it is kept for the next."""
        return self._inside.submit(function, *arguments).result()

    @contextlib.contextmanager
    def web(self, **settings: str) -> Iterator["Web"]:
        """One process of the production web server, as `make run` configures it."""
        address = f"127.0.0.1:{free_port()}"
        (self.folder / "logs").mkdir(exist_ok=True)
        log = str(self.folder / "logs/access.log")
        env = self.env | {"WEB_BIND": address, "WEB_PROCESSES": "1", "WEB_ACCESS_LOG": log} | settings
        argv = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), "modelmanager.wsgi:application"]
        with running(argv, env=env, log=self.folder / "logs/web.log") as process:
            wait_for(lambda: answers(f"http://{address}/healthz"), what="the web server")
            yield Web(f"http://{address}", process.pid)

    @contextlib.contextmanager
    def worker(self) -> Iterator[None]:
        """The job cluster, with its usual processes."""
        (self.folder / "logs").mkdir(exist_ok=True)
        argv = [sys.executable, str(ROOT / "manage.py"), "worker"]
        with running(argv, env=self.env, log=self.folder / "logs/worker.log"):
            yield


@dataclass(frozen=True)
class Web:
    """A running web server: its address, and what it has cost."""

    url: str
    session: int

    def cpu_s(self) -> float:
        """Processor seconds that the server has used so far, whatever else the machine does beside it."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # ended while we looked
                fields = stat.read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12]) if int(fields[3]) == self.session else 0
        return ticks / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def stage(name: str, *, mariadb: str = MARIADB) -> Iterator[Stage]:
    """A new, migrated stage on `sqlite` or `mariadb` (a database of its own on that server), dropped afterwards."""
    with contextlib.ExitStack() as leaving:
        folder = Path(leaving.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        if name == "mariadb":
            told, url = "MariaDB", leaving.enter_context(_mariadb_database(mariadb))
        else:
            told, url = "SQLite", f"sqlite:///{folder / 'db.sqlite3'}"
        make_secrets(folder)
        env = _environment(folder, url)
        spawn = multiprocessing.get_context("spawn")
        inside = ProcessPoolExecutor(1, mp_context=spawn, initializer=start_django, initargs=(env,))
        made = Stage(told, folder, env, leaving.enter_context(inside))
        made.manage("migrate", "--no-input")
        yield made


def _environment(folder: Path, database_url: str) -> dict[str, str]:
    ours = {"DATA_DIR": str(folder), "DATABASE_URL": database_url, "LOG_LEVEL": "WARNING"}
    kept = {name: value for name, value in os.environ.items() if name not in ("TRITON_URL", "REDIS_URL")}
    return kept | ours | {"DJANGO_SETTINGS_MODULE": "modelmanager.settings"}


@contextlib.contextmanager
def _mariadb_database(server: str) -> Iterator[str]:
    import MySQLdb

    parts, name = urlsplit(server), f"benchmark_{os.getpid()}_{time.time_ns() % 10**9}"
    where = {"host": parts.hostname or "127.0.0.1", "port": parts.port or 3306, "user": parts.username or "root"}

    def execute(statement: str) -> None:
        try:
            connection = MySQLdb.connect(**where, password=parts.password or "", connect_timeout=5)
        except MySQLdb.OperationalError as error:
            raise StageFailed(f"No MariaDB at {where['host']}:{where['port']}: {error}") from error
        with contextlib.closing(connection), contextlib.closing(connection.cursor()) as cursor:
            cursor.execute(statement)

    execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    try:
        yield f"{server.rstrip('/')}/{name}"
    finally:
        execute(f"DROP DATABASE {name}")


@contextlib.contextmanager
def running(argv: Sequence[str], *, env: Mapping[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process in a session of its own; afterwards it is asked to end, and what is left of its session is killed."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            argv, cwd=ROOT, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_WITHIN_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(END_WITHIN_S)


def wait_for(
    condition: Callable[[], object], *, what: str, within_s: float = UP_WITHIN_S, every_s: float = 0.02
) -> None:
    """Until the condition holds. Raises StageFailed after `within_s`."""
    gives_up_at = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > gives_up_at:
            raise StageFailed(f"Not within {within_s:g} s: {what}")
        time.sleep(every_s)


def answers(url: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_django(env: Mapping[str, str]) -> None:
    """Have Django work on a stage's data in this process."""
    os.environ.update(env)
    import django

    django.setup()


def _command(*arguments: str) -> str:
    from django.core.management import call_command

    told = io.StringIO()
    call_command(*arguments, stdout=told)
    return told.getvalue()
