"""run.json: whole, private, current."""

import json
import stat
from pathlib import Path

from modelmanager.embedded.run_file import RunFile


def test_it_is_readable_by_the_owner_only_and_holds_what_was_written(tmp_path: Path) -> None:
    run_file = RunFile(tmp_path / "run.json")
    run_file.write({"url": "http://127.0.0.1:1", "pids": {"web": [1, 2]}})
    assert json.loads((tmp_path / "run.json").read_text()) == {"url": "http://127.0.0.1:1", "pids": {"web": [1, 2]}}
    assert stat.S_IMODE((tmp_path / "run.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_it_is_rewritten_only_when_something_changed(tmp_path: Path) -> None:
    run_file = RunFile(tmp_path / "run.json")
    content: dict[str, list[int]] = {"web": [1]}
    assert run_file.write(content)
    assert not run_file.write({"web": [1]})
    content["web"].append(2)
    assert run_file.write(content)


def test_removing_it_twice_is_fine(tmp_path: Path) -> None:
    run_file = RunFile(tmp_path / "run.json")
    run_file.write({})
    run_file.remove()
    run_file.remove()
    assert not (tmp_path / "run.json").exists()
