"""Every benchmark runs from its command line in a small form, keeps its counts, and leaves nothing behind."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = {
    "acquire_release": ["--seconds", "0.2", "--rounds", "1", "--fake-triton"],
    "hand_over": ["--rounds", "1", "--load-s", "0.1", "--fake-triton"],
    "import_models": ["--models", "20", "--rounds", "1", "--one-by-one", "2"],
    "list_models": ["--models", "1000", "--seconds", "0.2"],
    "sync": ["--servers", "2", "--models", "10", "--rounds", "1"],
    "usage_generate": ["--records", "2000", "--days", "2"],
    "usage_ingestion": ["--seconds", "0.2", "--rounds", "1", "--raw-batches", "2", "--batch", "50"],
    "usage_prune": ["--records", "2000", "--seconds", "0.2", "--batch", "50"],
    "usage_statistics": ["--records", "3000", "--days", "4", "--seconds", "0.2", "--rounds", "1"],
}
PRINTED = {
    "acquire_release": ["acquire + release", "a view that does nothing"],
    "hand_over": ["release of A to a lease of B", "overhead"],
    "import_models": ["looked at (dry run)", "imported"],
    "list_models": ["by status", "of one provider"],
    "sync": ["nothing changed", "one model in ten unloaded"],
    "usage_generate": ["stored by bulk SQL", "summed by the rebuild"],
    "usage_ingestion": ["executemany of the same rows", "reported over HTTP", "bytes on disk"],
    "usage_prune": ["alone", "while records are pruned"],
    "usage_statistics": ["one model by day", "all models × clients by day", "elsewhere"],
}
ON_MARIADB_ONLY = ("usage_generate", "usage_prune", "usage_statistics")
RUNS = [
    *(pytest.param(name, "sqlite", marks=pytest.mark.embedded_only) for name in BENCHMARKS),
    *(pytest.param(name, "mariadb", marks=pytest.mark.mariadb) for name in (*ON_MARIADB_ONLY, "usage_ingestion")),
]


def run(name: str, *arguments: str, temporary: Path) -> "subprocess.CompletedProcess[str]":
    """A benchmark as a person starts it, with its temporary files in a folder of the test's."""
    argv = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    env = {**os.environ, "TMPDIR": str(temporary)}
    return subprocess.run(argv, cwd=ROOT, env=env, text=True, capture_output=True, check=False, timeout=280)


def where(database: str) -> list[str]:
    """Where a benchmark is told to measure: MariaDB is that of this test run."""
    if database == "sqlite":
        return ["--database", "sqlite"]
    parts = urlsplit(settings.DATABASE_URL)
    return ["--database", "mariadb", "--mariadb", f"{parts.scheme}://{parts.netloc}"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "database"), RUNS)
def test_it_runs_in_a_small_form_and_leaves_nothing_behind(name: str, database: str, tmp_path: Path):
    ended = run(name, *where(database), *BENCHMARKS[name], temporary=tmp_path)

    assert ended.returncode == 0, ended.stderr
    is_measured = database == "mariadb" or name not in ON_MARIADB_ONLY
    printed = PRINTED[name] if is_measured else ["measured on MariaDB only"]
    assert all(text in ended.stdout for text in printed), ended.stdout
    assert list(tmp_path.glob("benchmark-*")) == []


@pytest.mark.parametrize("name", BENCHMARKS)
def test_it_tells_what_it_does_and_takes(name: str, tmp_path: Path):
    ended = run(name, "--help", temporary=tmp_path)

    assert ended.returncode == 0, ended.stderr
    assert "--database" in ended.stdout


def test_a_database_that_is_not_there_is_one_clear_sentence(tmp_path: Path):
    ended = run("sync", "--database", "mariadb", "--mariadb", "mysql://root@127.0.0.1:1", temporary=tmp_path)

    assert ended.returncode == 1
    assert "No MariaDB at 127.0.0.1:1" in ended.stderr
    assert "Traceback" not in ended.stderr
