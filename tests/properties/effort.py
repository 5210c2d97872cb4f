"""How long property tests look for trouble: a short form in every run, a long one with SOAK=1."""

import os

from hypothesis import HealthCheck, Phase, settings

SOAK = os.environ.get("SOAK") == "1"
SHRINK = os.environ.get("SHRINK") == "1"  # a found life is told as it was: making it shorter takes many more of them


def effort(*, examples: int, soak_examples: int, steps: int = 50) -> settings:
    """The short form is the same in every run and fails for whoever broke it; the long one is never the same."""
    return settings(
        max_examples=soak_examples if SOAK else examples,
        stateful_step_count=steps,
        derandomize=not SOAK,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink] if SHRINK else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
