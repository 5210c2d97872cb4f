"""An Azure endpoint taken apart, however much of it was pasted."""

import pytest

from models_registry.providers.azure import endpoint_of

ROOT = "https://x.openai.azure.com"


@pytest.mark.parametrize(
    ("url", "root", "is_v1", "deployment", "api_version", "rest"),
    [
        (ROOT, ROOT, False, "", "", ""),
        (f"{ROOT}/", ROOT, False, "", "", ""),
        (f"{ROOT}/openai", ROOT, False, "", "", ""),
        (f"{ROOT}/openai/v1", ROOT, True, "", "", ""),
        (f"{ROOT}/openai/v1/", ROOT, True, "", "", ""),
        (f"{ROOT}/openai/v1/chat/completions", ROOT, True, "", "", "chat/completions"),
        (f"{ROOT}/openai/models?api-version=2024-10-21", ROOT, False, "", "2024-10-21", "models"),
        (f"{ROOT}/openai/deployments/gpt4", ROOT, False, "gpt4", "", ""),
        (
            f"{ROOT}/openai/deployments/gpt%2D4/chat/completions?api-version=2024-10-21",
            *(ROOT, False, "gpt-4", "2024-10-21", ""),
        ),
        ("https://gateway.example/azure/openai/v1", "https://gateway.example/azure", True, "", "", ""),
        ("https://gateway.example/azure", "https://gateway.example/azure", False, "", "", ""),
    ],
)
def test_the_parts_of_an_endpoint(
    url: str, root: str, is_v1: bool, deployment: str, api_version: str, rest: str
) -> None:
    found = endpoint_of(url)
    assert (found.root, found.is_v1) == (root, is_v1)
    assert (found.deployment, found.api_version, found.rest) == (deployment, api_version, rest)


@pytest.mark.parametrize("url", [ROOT, f"{ROOT}/openai/v1"])
def test_an_endpoint_alone_is_itself(url: str) -> None:
    assert endpoint_of(url).url == url
