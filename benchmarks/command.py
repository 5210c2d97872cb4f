"""What every benchmark's command line has in common."""

import argparse
import signal
import sys
from collections.abc import Callable, Iterator

from benchmarks import report
from benchmarks.stage import MARIADB, Stage, StageFailed, stage


def parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark takes."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter, prog="python -m benchmarks.…"
    )
    made.add_argument("--database", choices=["sqlite", "mariadb", "both"], default="both", help="where to measure")
    made.add_argument("--mariadb", default=MARIADB, help="a server on which to make a database, dropped afterwards")
    return made


def each_stage(asked: argparse.Namespace) -> Iterator[Stage]:
    """The stages asked for, one after another; each is gone before the next is made."""
    for name in ["sqlite", "mariadb"] if asked.database == "both" else [asked.database]:
        with stage(name, mariadb=asked.mariadb) as made:
            yield made


def is_mariadb_asked(asked: argparse.Namespace) -> bool:
    """For what is measured on MariaDB only: whether it is to be; says so where it is not."""
    if asked.database == "sqlite":
        print("This is measured on MariaDB only.")
    return bool(asked.database != "sqlite")


def run(main: Callable[[argparse.Namespace], None], arguments: argparse.ArgumentParser) -> None:
    """Run a benchmark. Exits with 1 when it could not run; an aim that is missed is printed, not a failure."""
    asked = arguments.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # so that all that was started is ended
    print(report.machine(), flush=True)
    try:
        main(asked)
    except StageFailed as failure:
        sys.exit(f"The benchmark could not run: {failure}")
    except KeyboardInterrupt:
        sys.exit(1)
