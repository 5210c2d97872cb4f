"""Calling the demo models for real, by Triton's HTTP protocol."""

import random
from collections.abc import Mapping
from typing import Any

import requests

from modelmanager.embedded.repository import DEMO_MODELS, DemoModel

KNOWN: Mapping[str, DemoModel] = {model.name: model for model in DEMO_MODELS}
TEXTS = (
    "휴가 신청은 어디에서 하나요?",
    "연차는 입사 후 일 년이 지나면 열다섯 날이 생긴다. 남은 연차는 다음 해로 넘길 수 없다.",
    "The VPN client has to be renewed every ninety days. Ask the help desk for a new certificate.",
    "회의실은 사내 포털에서 예약하며, 예약 시간 십 분 뒤까지 오지 않으면 취소된다.",
    "Which form do I need for travel expenses?",
    "출장비는 영수증과 함께 열흘 안에 청구해야 한다. 늦으면 팀장의 확인이 필요하다.",
)
TIMEOUT_S = 15.0


class ModelRefused(Exception):
    """Triton answered with an error."""


def infer(url: str, name: str, *, chance: random.Random, faulty: bool = False) -> tuple[int, int]:
    """One request to a demo model, by its remote name: rough tokens in and out.

    A `faulty` one holds an input that the model does not know. Raises ModelRefused or requests' exceptions.
    """
    inputs = [_input(tensor.name, _some_texts(tensor.dims, chance)) for tensor in KNOWN[name].inputs]
    if faulty:
        inputs[0]["name"] = "UNKNOWN"
    with requests.Session() as session:
        session.trust_env = False
        got = session.post(f"{url.rstrip('/')}/v2/models/{name}/infer", json={"inputs": inputs}, timeout=TIMEOUT_S)
    if got.status_code != 200:
        raise ModelRefused(got.text[:200])
    return _tokens(inputs), _tokens(got.json()["outputs"])


def _some_texts(dims: tuple[int, ...], chance: random.Random) -> list[str]:
    return chance.sample(TEXTS, k=1 if dims == (1,) else chance.randint(1, len(TEXTS)))


def _input(name: str, texts: list[str]) -> dict[str, Any]:
    return {"name": name, "shape": [len(texts)], "datatype": "BYTES", "data": texts}


def _tokens(tensors: list[dict[str, Any]]) -> int:
    """About half as many as there are characters; numbers are no tokens."""
    texts = [text for tensor in tensors if tensor["datatype"] == "BYTES" for text in tensor["data"]]
    return sum(len(text) for text in texts) // 2
