"""Whether a model can ever be loaded on its server."""

import pytest

from models_registry.fit import why_it_never_fits


@pytest.mark.parametrize("size", [None, 0, 1, 10**9])
def test_nothing_is_refused_where_the_server_declares_no_memory(size: int | None):
    assert why_it_never_fits(size, server_mb=None) is None


@pytest.mark.parametrize("size", [0, 1, 24_576])
def test_what_fits_an_empty_server_fits(size: int):
    assert why_it_never_fits(size, server_mb=24_576) is None


def test_a_size_is_required_where_the_server_declares_its_memory():
    refused = why_it_never_fits(None, server_mb=24_576)
    assert refused is not None and refused[0] == "required"


def test_one_megabyte_too_much_is_too_large():
    refused = why_it_never_fits(24_577, server_mb=24_576)
    assert refused is not None and refused[0] == "too_large" and "24577" in refused[1]
