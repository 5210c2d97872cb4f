"""What `make run` does, for real: a real Triton, web server and worker, restarts, and the end of it all."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelmanager.embedded import processes
from modelmanager.embedded.asking import status_of
from modelmanager.embedded.environment import ROOT
from tests.e2e.product import RunningProduct, product_env, started_product
from tests.embedded.waiting import wait_for
from tests.ports import free_ports

pytestmark = [pytest.mark.triton, pytest.mark.embedded_only, pytest.mark.slow]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProduct]:
    with started_product(tmp_path_factory.mktemp("make-run")) as product:
        yield product


def everything(product: RunningProduct) -> list[int]:
    return [pid for pids in product.run["pids"].values() for pid in pids]


def get(product: RunningProduct, path: str) -> dict:
    request = urllib.request.Request(product.url + path, headers={"Authorization": f"Bearer {product.client_key}"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def test_run_json_tells_tools_everything_and_only_the_owner(product: RunningProduct) -> None:
    run = product.run
    assert set(run) == {
        "url",
        "triton_url",
        "client_key",
        "admin_user",
        "admin_password_file",
        "database_url",
        "pids",
    }
    assert run["url"] == product.url
    assert stat.S_IMODE((product.data_dir / "run.json").stat().st_mode) == 0o600
    for path in (product.data_dir / "client-key", Path(run["admin_password_file"])):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert all(run["pids"][name] and all(map(processes.is_alive, run["pids"][name])) for name in run["pids"])


def test_database_and_logs_are_the_owners(product: RunningProduct) -> None:
    files = [product.data_dir / "db.sqlite3", *(product.data_dir / "logs").iterdir()]
    assert len(files) >= 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_neither_run_json_nor_the_logs_hold_the_installations_secrets(product: RunningProduct) -> None:
    secrets = [(product.data_dir / name).read_text().strip() for name in ("secret.key", "credential.keys")]
    kept = [product.data_dir / "run.json", *(product.data_dir / "logs").iterdir()]
    assert len(kept) > 3
    for file in kept:
        text = file.read_text(errors="replace")
        assert not any(secret in text for secret in secrets), file.name
        assert file.name == "run.json" or product.client_key not in text, file.name


def test_login_and_key_are_printed_on_the_first_start(product: RunningProduct) -> None:
    wait_for(lambda: "Ctrl-C ends it" in product.output)
    assert Path(product.run["admin_password_file"]).read_text().strip() in product.output
    assert product.client_key in product.output


def test_the_key_works_and_the_demo_set_is_there(product: RunningProduct) -> None:
    models = get(product, "/api/v1/models/?page_size=100")["results"]
    assert len(models) >= 6
    assert any("broken" in model["name"] for model in models)
    assert {model["activation_policy"] for model in models} == {"manual"}
    assert [model["name"] for model in models if model["wanted"]] != []


def test_static_files_are_served_by_us(product: RunningProduct) -> None:
    status, page = status_of(f"{product.url}/admin/login/")
    assert status == 200
    assert "/static/" in page
    assert status_of(f"{product.url}/static/admin/js/core.js")[0] == 200


def test_manage_py_works_on_the_same_data(product: RunningProduct) -> None:
    counted = product.manage("shell", "-c", "from usage.models import Client; print(Client.objects.count())")
    assert counted.stdout.strip().splitlines()[-1] == "1"


def test_a_second_start_on_the_same_data_is_refused_in_one_sentence(product: RunningProduct) -> None:
    env = product.env | {"PORT": str(free_ports(1)), "TRITON_PORT": str(free_ports(3))}
    second = subprocess.run(
        [sys.executable, "-m", "modelmanager.embedded"], cwd=ROOT, env=env, text=True, capture_output=True, timeout=30
    )
    assert second.returncode == 1
    assert second.stderr.startswith(f"Model Manager already runs on {product.data_dir} at {product.url}")
    assert second.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["web", "worker"])
def test_a_killed_main_process_is_replaced_and_its_old_group_is_gone(product: RunningProduct, name: str) -> None:
    before = product.run["pids"][name]
    others = {other: pids for other, pids in product.run["pids"].items() if other != name}
    os.kill(before[0], signal.SIGKILL)
    wait_for(lambda: is_replaced(product.run["pids"][name], before), within_s=30)
    assert not any(processes.is_alive(pid) for pid in before)
    wait_for(lambda: status_of(f"{product.url}/readyz")[0] == 200, within_s=30)
    assert {other: pids for other, pids in product.run["pids"].items() if other != name} == others
    assert f"{name:<7} ended (killed by SIGKILL); starting it again in" in product.output


def is_replaced(now: list[int], before: list[int]) -> bool:
    """Whether something runs, and nothing of what ran: for a moment what the killed one left is listed alone."""
    return bool(now) and not set(now) & set(before)


def test_a_killed_triton_is_announced_and_starts_again_when_asked(product: RunningProduct) -> None:
    before = product.run["pids"]["triton"]
    os.kill(before[0], signal.SIGKILL)
    wait_for(lambda: "triton  ended (killed by SIGKILL); `make triton` starts it again." in product.output)
    wait_for(lambda: product.run["pids"]["triton"] == [])
    assert not any(processes.is_alive(pid) for pid in before)
    subprocess.run(
        [sys.executable, "-m", "modelmanager.embedded", "triton"], cwd=ROOT, env=product.env, check=True, timeout=30
    )
    wait_for(lambda: status_of(f"{product.triton_url}/v2/health/ready")[0] == 200, within_s=30)
    wait_for(lambda: product.run["pids"]["triton"])


def test_ctrl_c_ends_everything_and_a_second_start_keeps_the_data(product: RunningProduct) -> None:
    key, pids = product.client_key, everything(product)
    assert product.stop(signal.SIGINT) < 15
    assert product.process.returncode == 0
    assert not any(processes.is_alive(pid) for pid in pids)
    assert not (product.data_dir / "run.json").exists()

    with started_product(product.data_dir) as again:
        assert again.client_key == key
        wait_for(lambda: "Ctrl-C ends it" in again.output)
        assert key not in again.output
        assert Path(again.run["admin_password_file"]).read_text().strip() not in again.output
        assert len(get(again, "/api/v1/models/?page_size=100")["results"]) >= 6
        assert_nothing_survives_a_kill_of_the_supervisor(again)


def assert_nothing_survives_a_kill_of_the_supervisor(product: RunningProduct) -> None:
    pids = everything(product)
    product.process.kill()
    product.process.wait()
    wait_for(lambda: not any(processes.is_alive(pid) for pid in pids), within_s=30, what="the end of all it started")


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = subprocess.run(
            [sys.executable, "-m", "modelmanager.embedded"],
            cwd=ROOT,
            env=product_env(tmp_path, {"PORT": str(port)}),
            text=True,
            capture_output=True,
            timeout=30,
        )
    assert refused.returncode == 1
    assert refused.stderr == (f"Port {port} on 127.0.0.1 is taken: end what uses it, or choose another with PORT=….\n")


def test_a_bad_value_is_told_and_exits_with_2(tmp_path: Path) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "modelmanager.embedded"],
        cwd=ROOT,
        env=product_env(tmp_path, {"WEB_PROCESSES": "zero"}),
        text=True,
        capture_output=True,
        timeout=30,
    )
    assert refused.returncode == 2
    assert refused.stderr == "WEB_PROCESSES=zero is not a whole number from 1 to 64.\n"
