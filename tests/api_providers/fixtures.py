"""Fixtures that tests of other folders share: import them into a conftest."""

from collections.abc import Iterator

import pytest

from tests.api_providers.litellm import LiteLLM, NotInstalled
from tests.requirements_policy import require


@pytest.fixture(scope="session")
def litellm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiteLLM]:
    """A running OpenAI-compatible server that nobody here wrote; see tests/api_providers/litellm.py."""
    try:
        server = LiteLLM(tmp_path_factory.mktemp("litellm"))
    except NotInstalled as reason:
        require(False, f"LiteLLM ({reason})")
        raise
    with server:
        yield server
