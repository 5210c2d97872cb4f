"""The demo models on a real Triton, by direct calls: real work, one GPU's memory, and a load that fails."""

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelmanager.embedded.repository import DEMO_GPU_MEMORY_MB, DEMO_MODELS
from tests.embedded.waiting import wait_for
from tests.triton.direct import infer, is_ready, post, states
from tests.triton.real import RealTriton

pytestmark = [pytest.mark.triton, pytest.mark.slow]

BY_NAME = {model.name: model for model in DEMO_MODELS}
BROKEN = "broken-summarizer"
OUT_OF_MEMORY = "CUDA out of memory"


@pytest.fixture(autouse=True)
def triton(demo_triton: RealTriton) -> Iterator[RealTriton]:
    """A server with nothing loaded, before and after."""
    unload_all(demo_triton)
    yield demo_triton
    unload_all(demo_triton)


def unload_all(triton: RealTriton) -> None:
    for name in loaded(triton):
        post(triton.url, name, "unload")
    wait_for(lambda: not loaded(triton), within_s=30)


def loaded(triton: RealTriton) -> list[str]:
    return sorted(name for name, state in states(triton.url).items() if state != "UNAVAILABLE")


def load(triton: RealTriton, *names: str) -> None:
    for name in names:
        assert post(triton.url, name, "load") == (200, "")


def cosine(first: list[float], second: list[float]) -> float:
    return sum(a * b for a, b in zip(first, second, strict=True))


def rows(output: dict[str, Any]) -> list[list[float]]:
    count, width = output["shape"]
    return [output["data"][i * width : (i + 1) * width] for i in range(count)]


def test_there_are_six_shaped_like_a_rag_system_each_with_its_size_and_time() -> None:
    assert sorted(model.kind for model in DEMO_MODELS) == [
        "chat",
        "embedding",
        "embedding",
        "other",
        "preprocessing",
        "rerank",
    ]
    assert [model.name for model in DEMO_MODELS if "broken" in model.name] == [BROKEN]
    assert all(0 < model.gpu_memory_mb < DEMO_GPU_MEMORY_MB for model in DEMO_MODELS)
    assert len({model.gpu_memory_mb for model in DEMO_MODELS}) == len(DEMO_MODELS)
    assert (min(m.load_s for m in DEMO_MODELS), max(m.load_s for m in DEMO_MODELS)) == (0.3, 6.0)


@pytest.mark.parametrize(("name", "dimensions"), [("bge-m3", 256), ("e5-small-ko", 64)])
def test_an_embedding_is_a_unit_vector_near_to_what_means_the_same(
    triton: RealTriton, name: str, dimensions: int
) -> None:
    load(triton, name)
    texts = ["그래픽 카드의 메모리", "그래픽 카드는 메모리가 있다", "점심 메뉴는 김밥"]
    output = infer(triton.url, name, TEXT=texts)["EMBEDDING"]
    assert output["shape"] == [3, dimensions]
    question, near, far = rows(output)
    assert all(math.isclose(cosine(row, row), 1, abs_tol=1e-4) for row in (question, near, far))
    assert cosine(question, near) > 0.5 > cosine(question, far)


def test_the_reranker_puts_the_passage_that_answers_first(triton: RealTriton) -> None:
    load(triton, "bge-reranker")
    passages = ["점심 메뉴는 김밥이다.", "Triton 서버는 GPU가 한 개이다.", "GPU는 비싸다."]
    scores = infer(triton.url, "bge-reranker", QUERY=["Triton 서버의 GPU"], PASSAGES=passages)["SCORES"]["data"]
    assert scores[1] > scores[2] > scores[0] >= 0
    assert all(score <= 1 for score in scores)


def test_the_chat_model_answers_from_the_context_in_the_questions_language(triton: RealTriton) -> None:
    load(triton, "rag-chat")
    context = ["The server has one GPU. Lunch is at noon."]

    def ask(question: str, texts: list[str]) -> str:
        return infer(triton.url, "rag-chat", QUESTION=[question], CONTEXT=texts)["ANSWER"]["data"][0]

    assert ask("Which GPU has the server?", context) == "According to the documents: The server has one GPU."
    assert ask("점심은 언제인가?", ["서버는 한 대이다. 점심은 열두 시이다."]) == "문서에 따르면: 점심은 열두 시이다."
    assert ask("바다는 왜 파란가?", context) == "주어진 문서에서 답을 찾을 수 없습니다."


def test_the_dictionary_brings_terms_to_one_spelling(triton: RealTriton) -> None:
    load(triton, "dict-preprocess")
    output = infer(triton.url, "dict-preprocess", TEXT=["AI  챗봇은 지피유를 쓴다", "said DB, not adbc"])
    assert output["NORMALIZED"]["data"] == ["인공지능 대화형 에이전트은 GPU를 쓴다", "said 데이터베이스, not adbc"]
    assert output["TOKENS"]["data"][1] == "said 데이터베이스 not adbc"


def test_the_broken_one_fails_with_its_reason_and_takes_no_memory(triton: RealTriton) -> None:
    status, reason = post(triton.url, BROKEN, "load")
    assert status == 400
    assert "checksum of model.safetensors does not match its index" in reason
    load(triton, "bge-m3", "bge-reranker", "e5-small-ko")


def test_three_fit_and_a_careless_load_fails_with_out_of_memory_beside_them(triton: RealTriton) -> None:
    three = ["bge-m3", "bge-reranker", "e5-small-ko"]
    assert sum(BY_NAME[name].gpu_memory_mb for name in three) <= DEMO_GPU_MEMORY_MB
    load(triton, *three)
    status, reason = post(triton.url, "dict-preprocess", "load")
    assert (status, OUT_OF_MEMORY in reason) == (400, True)
    assert "Tried to allocate 800 MiB" in reason
    assert "744 MiB is free" in reason
    assert loaded(triton) == sorted(three)
    assert all(is_ready(triton.url, name) for name in three)


def test_a_second_copy_of_a_loaded_model_needs_its_memory_again(triton: RealTriton) -> None:
    load(triton, "rag-chat")
    with (triton.repository / "rag-chat" / "1" / "model.py").open("a") as code:
        code.write("\n# changed\n")  # Triton leaves alone what has not changed
    status, reason = post(triton.url, "rag-chat", "load")
    assert (status, OUT_OF_MEMORY in reason) == (400, True)
    assert is_ready(triton.url, "rag-chat")


def test_two_that_do_not_fit_together_take_turns(triton: RealTriton) -> None:
    load(triton, "bge-m3")
    assert OUT_OF_MEMORY in post(triton.url, "rag-chat", "load")[1]
    post(triton.url, "bge-m3", "unload")
    wait_for(lambda: not loaded(triton), within_s=30)
    load(triton, "rag-chat")


def test_a_load_takes_its_declared_time(triton: RealTriton) -> None:
    scale = 0.1  # of this server
    for name in ("dict-preprocess", "bge-m3"):
        began = time.monotonic()
        load(triton, name)
        assert time.monotonic() - began >= BY_NAME[name].load_s * scale


def test_a_killed_server_gives_its_memory_back(tmp_path: Path) -> None:
    with RealTriton(tmp_path, budget_mb=DEMO_GPU_MEMORY_MB, time_scale=0.1) as triton:
        load(triton, "rag-chat")
        triton.restart()
        load(triton, "bge-m3", "bge-reranker")
