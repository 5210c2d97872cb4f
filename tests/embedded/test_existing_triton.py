"""`TRITON_URL=… make run`: an existing server is used as it is, and left as it was."""

from pathlib import Path

import pytest

from tests.e2e.caller import Caller
from tests.e2e.product import started_product
from tests.embedded.waiting import wait_for
from tests.triton import direct
from tests.triton.real import RealTriton, slow_model

pytestmark = [pytest.mark.triton, pytest.mark.embedded_only, pytest.mark.slow]


def test_what_is_loaded_there_stays_loaded_from_the_first_to_the_last_moment(tmp_path: Path) -> None:
    models = [slow_model(name) for name in ("Llama_3", "bge", "idle")]
    with RealTriton(tmp_path / "triton", models) as triton:
        for name in ("Llama_3", "bge"):
            direct.post(triton.url, name, "load")
        with started_product(tmp_path / "data", {"TRITON_URL": triton.url}) as product:
            run = product.run
            assert (run["triton_url"], run["pids"]["triton"]) == (triton.url, [])
            api = Caller(product.url, product.client_key)
            api.wait_for("llama_3", "active")
            api.release(api.lease("bge"))
            assert product.manage("sync_triton").returncode == 0
            told = {model["remote_name"]: model["status"] for model in api.models()}
            assert told == {"Llama_3": "active", "bge": "active", "idle": "registered"}
            assert all(direct.is_ready(triton.url, name) for name in ("Llama_3", "bge"))
            product.stop()
        assert all(direct.is_ready(triton.url, name) for name in ("Llama_3", "bge"))


def test_one_that_does_not_answer_is_registered_and_the_rest_starts(tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:9"
    with started_product(tmp_path, {"TRITON_URL": nobody}) as product:
        wait_for(lambda: f"{nobody} is registered, but does not answer" in product.output)
        api = Caller(product.url, product.client_key)
        assert [one["base_url"] for one in api.get("/providers/")["results"]] == [nobody]
        assert api.models() == []
