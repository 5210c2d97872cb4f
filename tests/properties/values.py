"""Any values of the rules: what servers tell, what is believed, and the models of one server."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from models_registry.judge import Belief
from models_registry.providers.observation import RemoteModel, RemoteState
from models_registry.vocabulary import ErrorCode, Observed
from monitoring.rules.values import Candidate, Server
from tests.properties.effort import effort

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
many = effort(examples=100, soak_examples=20_000)
times = st.integers(-900, 900).map(lambda seconds: AT + timedelta(seconds=seconds))
maybe = st.one_of(st.none(), times)
remote = st.builds(
    RemoteModel,
    st.just("m"),
    st.sampled_from(RemoteState),
    st.sampled_from(["", "CUDA out of memory", "no such file"]),
    st.sampled_from([(), ("1",), ("1", "2")]),
).filter(lambda seen: seen.reason or seen.state != RemoteState.FAILED)  # folding calls nothing failed without a reason
beliefs = st.builds(Belief, st.booleans(), st.sampled_from(Observed), st.sampled_from(ErrorCode.values))
servers = st.builds(
    Server,
    st.sampled_from([None, 1, 2, 3]),
    st.sampled_from([None, 100]),
    st.sampled_from([(), (), ("stranger",), ("s1", "s2")]),
    st.sampled_from([(), (), (), ("busy",)]),
    pressure=st.sampled_from([0.0, 0.6, 1.0]),
)


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    """Any models of one server, as rows can hold them: whoever is wanted and not ready has been in the queue since."""
    found = []
    for number in range(1, draw(st.integers(0, 6)) + 1):
        is_wanted, observed = draw(st.booleans()), draw(st.sampled_from(Observed))
        ready, asked = observed == Observed.READY, draw(st.booleans())
        found.append(
            Candidate(
                number,
                f"m{number}",
                is_wanted,
                observed,
                error_code=draw(st.sampled_from(["", "", "", "missing", "load_failed", "activation_timeout"])),
                open_leases=draw(st.sampled_from([0, 0, 1])) if ready else 0,
                leased_until=draw(maybe),
                drain_until=None if is_wanted else draw(maybe),
                size_mb=draw(st.sampled_from([10, 30, 50, 100])),
                priority=draw(st.integers(-1, 1)),
                pinned=draw(st.sampled_from([False, False, True])),
                in_window=is_wanted and draw(st.booleans()),
                waiting_lease=asked and not ready,
                expected=asked and ready,
                queued_at=draw(times) if is_wanted and not ready else None,
                last_used_at=draw(maybe),
                failures=draw(st.integers(0, 6)),
                retry_at=draw(maybe),
                load_s=draw(st.sampled_from([None, 5.0, 60.0])),
            )
        )
    return found


def by_id(models: Sequence[Candidate], id: int) -> Candidate:
    return next(c for c in models if c.id == id)
