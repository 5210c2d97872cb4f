"""Talking to a Triton server behind everybody's back, and asking a model for real work."""

from typing import Any

import requests


def post(url: str, model: str, action: str, *, timeout_s: float = 60.0) -> tuple[int, str]:
    """`load` or `unload` by a direct call: status, and the server's word on a failure."""
    answer = _session().post(f"{url}/v2/repository/models/{model}/{action}", json={}, timeout=timeout_s)
    return answer.status_code, str(answer.json().get("error", "")) if answer.content else ""


def states(url: str) -> dict[str, str]:
    """What the index says of each model that was ever loaded."""
    rows = _session().post(f"{url}/v2/repository/index", json={}, timeout=10).json()
    return {row["name"]: row["state"] for row in rows if row.get("state")}


def is_ready(url: str, model: str) -> bool:
    """The server's answer at this moment."""
    return _session().get(f"{url}/v2/models/{model}/ready", timeout=10).status_code == 200


def infer(url: str, model: str, *, version: str = "", **texts: list[str]) -> dict[str, dict[str, Any]]:
    """Outputs by name (`shape`, `data`) for inputs that are lists of texts. Fails with the server's words."""
    inputs = [{"name": name, "datatype": "BYTES", "shape": [len(data)], "data": data} for name, data in texts.items()]
    where = f"{url}/v2/models/{model}" + (f"/versions/{version}" if version else "")
    answer = _session().post(f"{where}/infer", json={"inputs": inputs}, timeout=60)
    assert answer.status_code == 200, answer.text
    return {output["name"]: output for output in answer.json()["outputs"]}


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session
