"""What a name tells: our own name for a model, and its kind."""

import pytest

from models_registry.guessing import kind_for, name_for


@pytest.mark.parametrize(
    ("remote", "prefix", "name"),
    [
        ("gpt-4o", "", "gpt-4o"),
        ("meta-llama/Llama-3.1 8B:Instruct", "", "meta-llama-llama-3.1-8b-instruct"),
        ("GPT_4", "azure-", "azure-gpt_4"),
        ("--x1--", "", "x1"),
        ("한국어 모델", "", ""),
        ("한국어 모델", "ko-", ""),
        ("x", "", ""),
        ("x", "a.", "a.x"),
        ("x" * 101, "", ""),
        ("x" * 99, "ab", ""),
    ],
)
def test_a_name_is_made_a_slug_or_not_at_all(remote: str, prefix: str, name: str) -> None:
    assert name_for(remote, prefix=prefix) == name


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (("text-embedding-3-large",), "embedding"),
        (("BAAI/bge-m3",), "embedding"),
        (("intfloat/multilingual-e5-large",), "embedding"),
        (("bge-reranker-v2-m3",), "rerank"),
        (("gpt-4o-mini",), "chat"),
        (("o3-mini",), "chat"),
        (("gpt-4o-mini-transcribe",), "other"),
        (("gpt-image-1",), "other"),
        (("whisper-1",), "other"),
        (("tokenizer",), "other"),
        (("text-embedding-3-small", "company-vectors"), "embedding"),
        (("", "company-gpt"), "chat"),
        (("foo3",), "other"),
    ],
)
def test_a_kind_is_told_by_the_names(names: tuple[str, ...], kind: str) -> None:
    assert kind_for(*names) == kind
