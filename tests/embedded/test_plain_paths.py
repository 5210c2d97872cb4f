"""Folders whose names a shell would take apart, or that have letters beyond ASCII."""

import tempfile
from pathlib import Path

import environ
import pytest

from modelmanager.embedded.plain_paths import plain
from modelmanager.lib.sqlite_urls import sqlite_url
from tests.triton.direct import is_ready, post
from tests.triton.real import RealTriton, slow_model

AWKWARD = ["two words", "r&d", "한글", "100% #1?", "it's"]


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def awkward(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    return folder


def test_a_plain_path_is_itself(tmp_path: Path):
    assert plain(awkward(tmp_path, "var-1.0")) == tmp_path / "var-1.0"


@pytest.mark.parametrize("name", AWKWARD)
def test_any_other_is_reached_by_a_plain_one_which_stays(tmp_path: Path, name: str):
    folder = awkward(tmp_path, name)
    link = plain(folder)
    assert link.resolve() == folder
    assert name not in str(link) and str(link).isascii() and " " not in str(link)
    assert plain(folder) == link
    assert plain(awkward(tmp_path, f"{name} two")) != link


def test_a_folder_that_others_may_write_into_is_not_used(tmp_path: Path, own_temporary_folder: Path):
    plain(awkward(tmp_path, "a b"))
    (ours,) = own_temporary_folder.iterdir()
    ours.chmod(0o777)
    with pytest.raises(PermissionError):
        plain(tmp_path / "a b")


@pytest.mark.parametrize("name", AWKWARD)
def test_a_database_stays_where_it_belongs(tmp_path: Path, name: str):
    path = tmp_path / name / "db.sqlite3"
    assert environ.Env().db_url_config(sqlite_url(path))["NAME"] == str(path)


@pytest.mark.triton
def test_a_model_of_a_repository_in_such_a_folder_is_loaded(tmp_path: Path):
    with RealTriton(awkward(tmp_path, "r&d 한글"), [slow_model("chat")]) as triton:
        assert post(triton.url, "chat", "load", timeout_s=20) == (200, "")
        assert is_ready(triton.url, "chat")
