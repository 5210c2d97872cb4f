"""The running product, for the tests of this folder."""

from tests.e2e.product import running_product

__all__ = ["running_product"]
