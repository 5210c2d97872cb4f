"""Fixtures around Triton, for the conftest of each folder that needs them."""

from collections.abc import Iterator

import pytest

from modelmanager.embedded.triton import TritonInstallation, TritonUnsupported
from tests.triton.real import RealTriton, installed


@pytest.fixture(scope="session")
def triton_installation() -> TritonInstallation:
    """The real Triton, installed on first use; skips where this machine cannot run it."""
    try:
        return installed()
    except TritonUnsupported as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def demo_triton(
    triton_installation: TritonInstallation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealTriton]:
    """A running real Triton with the demo repository, loads ten times faster; shared, so leave nothing loaded."""
    with RealTriton(tmp_path_factory.mktemp("demo-triton"), budget_mb=6144, time_scale=0.1) as triton:
        yield triton
