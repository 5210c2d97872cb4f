"""What a test needs from the machine: missing on a developer's machine it is skipped, in CI it fails."""

import os

import pytest


def require(available: bool, what: str) -> None:
    """Go on when `what` is available; else skip the calling test, or with CI=true fail it."""
    if available:
        return
    if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
        pytest.fail(f"{what} is missing, and CI must not skip what needs it", pytrace=False)
    pytest.skip(f"{what} is missing on this machine")
