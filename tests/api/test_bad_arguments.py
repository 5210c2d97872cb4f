"""A management command that is called wrongly says so on stderr, exits with 2 and changes nothing."""

import io
from pathlib import Path

import pytest
from django.core.management import ManagementUtility
from django.db import connection, connections

from tests.api.tables import contents
from tests.monitoring.world import World
from usage.ledger import read_ledger

WRONG = {
    "create_client": [
        [],
        ["Bad Name"],
        ["n"],
        ["fine", "second"],
        ["fine", "--scopes", "everything"],
        ["fine", "--scopes", ""],
        ["fine", "--scopes", "read;use"],
        ["fine", "--expires-days", "0"],
        ["fine", "--expires-days", "-1"],
        ["fine", "--expires-days", "soon"],
        ["fine", "--expires-days", "99999999999999"],
        ["fine", "--description", "x" * 5000],
        ["fine", "--description", "half \udcff"],
        ["chatbot", "--scopes", "nonsense"],
        ["--unknown"],
    ],
    "sync_triton": [
        ["--provider", "nothing"],
        ["--provider", ""],
        ["--model", "nothing"],
        ["--provider", "gpu", "--model", "nothing"],
        ["--patience", "soon"],
        ["--patience", "-1"],
        ["--patience", "nan"],
        ["--provider"],
        ["surplus"],
        ["--unknown"],
    ],
    "seed_demo": [
        [],
        ["--empty", "--triton-url", "http://127.0.0.1:1"],
        ["--triton-url", "nonsense"],
        ["--triton-url", "http://[::1"],
        ["--triton-url", "ftp://127.0.0.1", "--client-key-file", "{folder}/key"],
        ["--triton-url", "http://169.254.169.254", "--client-key-file", "{folder}/key"],
        ["--empty", "--client-key-file", "{folder}"],
        ["--empty", "--client-key-file", "{folder}/missing/key"],
        ["--unknown"],
    ],
    "usage_report": [
        [],
        ["--month", "2026"],
        ["--month", "2026-13"],
        ["--month", "0000-01"],
        ["--month", "0001-01"],
        ["--month", "9999-12"],
        ["--month", "2026-11", "--by", "provider"],
        ["--month", "2026-11", "--tz", "Mars/Olympus"],
        ["--month", "2026-11", "--format", "pdf"],
        ["--month", "2026-11", "--format", "xlsx"],
        ["--month", "2026-11", "--format", "csv", "--output", "{folder}"],
        ["--month", "2026-11", "--output", "{folder}/missing/file"],
        ["--month", "2026-11", "surplus"],
        ["--unknown"],
    ],
    "worker": [["surplus"], ["--unknown"]],
    "check_providers": [["nothing"], ["gpu", "nothing"], ["half \udcff"], ["--unknown"]],
    "import_models": [
        [],
        ["nothing"],
        ["gpu", "--kind", "nonsense"],
        ["gpu", "--policy", "scheduled"],
        ["gpu", "--gpu-memory-mb", "0"],
        ["gpu", "--gpu-memory-mb", "much"],
        ["gpu", "--prefix", "Not A Name "],
        ["gpu", "--name", "half \udcff"],
        ["gpu", "surplus"],
        ["--unknown"],
    ],
    "partition_usage": [[], ["surplus"], ["--unknown"]] if connection.vendor == "sqlite" else [["surplus"]],
    "prune_usage": [["--at-a-time", "0"], ["--at-a-time", "20001"], ["--at-a-time", "many"], ["surplus"]],
    "rebuild_rollups": [
        ["--from", "yesterday"],
        ["--to", "2026-13-01"],
        ["--from", "2026-11-02", "--to", "2026-11-02"],
        ["--from", "9999-12-31"],
        ["--from", "0001-01-01", "--check", "--unknown"],
        ["surplus"],
    ],
    "rotate_credentials": [["surplus"], ["--at-a-time", "0"], ["--unknown"]],
}
CALLS = [(command, arguments) for command, calls in WRONG.items() for arguments in calls]


@pytest.mark.parametrize(("command", "arguments"), CALLS, ids=str)
def test_a_wrong_call_exits_with_2_and_changes_nothing(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    arguments: list[str],
) -> None:
    filled = [argument.format(folder=tmp_path) for argument in arguments]
    errors = io.StringIO()
    monkeypatch.setattr("sys.stderr", errors)
    # A command called from a shell closes its connections in the end; here they are the test's.
    monkeypatch.setattr(type(connections), "close_all", lambda self: None)
    read_ledger()  # made when it is first asked for
    before = contents()
    with pytest.raises(SystemExit) as ended:
        ManagementUtility(["manage.py", command, *filled]).execute()
    assert ended.value.code == 2
    said = errors.getvalue()
    assert said.strip()
    assert "Traceback" not in said
    assert contents() == before
    assert list(tmp_path.iterdir()) == []


def test_every_command_of_ours_is_under_this_test() -> None:
    apps = ("modelmanager", "usage", "monitoring", "models_registry")
    found = {path.stem for app in apps for path in Path(app).glob("management/commands/[a-z]*.py")}
    of_packages = {"makemessages", "migrate", "spectacular"}  # theirs, with a little of ours
    assert found - set(WRONG) - of_packages <= {"doctor"}  # takes no arguments that could be wrong
