"""Variables: defaults, and one clear sentence for what cannot be used."""

from pathlib import Path

import pytest

from modelmanager.embedded.environment import BadValue, read_environment
from modelmanager.embedded.programs import Programs


def test_defaults_are_the_documented_ones(tmp_path: Path) -> None:
    chosen = read_environment({"DATA_DIR": str(tmp_path)})
    assert (chosen.host, chosen.port, chosen.triton_ports) == ("127.0.0.1", 8000, (18000, 18001, 18002))
    assert (chosen.triton_url, chosen.web_processes) == ("", 1)
    assert chosen.database_url == f"sqlite:///{tmp_path}/db.sqlite3"
    assert chosen.url == "http://127.0.0.1:8000"


def test_a_relative_data_dir_becomes_absolute_and_is_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_environment({"DATA_DIR": "here/data"}).data_dir == tmp_path / "here" / "data"
    assert (tmp_path / "here" / "data").is_dir()


def test_empty_means_default(tmp_path: Path) -> None:
    chosen = read_environment({"DATA_DIR": str(tmp_path), "PORT": "", "TRITON_URL": " ", "DATABASE_URL": ""})
    assert chosen.port == 8000
    assert not chosen.triton_url


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eight"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "8000.5"),
        ("PORT", "８０００"),
        ("TRITON_PORT", "65534"),
        ("TRITON_PORT", "x"),
        ("WEB_PROCESSES", "0"),
        ("WEB_PROCESSES", "many"),
        ("TRITON_URL", "gpu-host:8000"),
        ("TRITON_URL", "ftp://gpu-host"),
        ("TRITON_URL", "http://gpu-host:port"),
        ("DATA_DIR", "/proc/nowhere"),
    ],
)
def test_a_bad_value_is_named_in_one_sentence(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(BadValue) as refusal:
        read_environment({"DATA_DIR": str(tmp_path), name: value})
    assert str(refusal.value).startswith(f"{name}={value} ")
    assert "\n" not in str(refusal.value)


def test_a_bad_database_url_is_not_repeated_since_it_may_hold_a_password(tmp_path: Path) -> None:
    with pytest.raises(BadValue) as refusal:
        read_environment({"DATA_DIR": str(tmp_path), "DATABASE_URL": "postgres://root:s3cret@db/x"})
    assert "DATABASE_URL" in str(refusal.value)
    assert "s3cret" not in str(refusal.value)


def test_a_port_inside_tritons_range_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="PORT=18002 lies within Triton's three ports 18000 to 18002"):
        read_environment({"DATA_DIR": str(tmp_path), "PORT": "18002"})


@pytest.mark.parametrize(
    ("host", "bind", "url"),
    [
        ("", "127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("0.0.0.0", "0.0.0.0:8000", "http://127.0.0.1:8000"),
        ("10.0.0.5", "10.0.0.5:8000", "http://10.0.0.5:8000"),
        ("::1", "[::1]:8000", "http://[::1]:8000"),
        ("::", "[::]:8000", "http://[::1]:8000"),
    ],
)
def test_where_it_listens_and_how_this_machine_calls_it(tmp_path: Path, host: str, bind: str, url: str) -> None:
    chosen = read_environment({"DATA_DIR": str(tmp_path), "HOST": host})
    assert (chosen.bind, chosen.url) == (bind, url)


@pytest.mark.parametrize("given", ["", "models.example"])
def test_it_answers_under_its_own_address_whatever_hosts_are_allowed(tmp_path: Path, given: str) -> None:
    chosen = read_environment({"DATA_DIR": str(tmp_path), "HOST": "10.0.0.5"})
    web = Programs(chosen, run_id="run", environ={"ALLOWED_HOSTS": given}).web()
    allowed = web.env["ALLOWED_HOSTS"].split(",")
    assert "10.0.0.5" in allowed and (given or "localhost") in allowed
