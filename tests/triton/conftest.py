"""Fixtures around Triton for the tests of this folder."""

from tests.triton.fixtures import demo_triton, triton_installation

__all__ = ["demo_triton", "triton_installation"]
