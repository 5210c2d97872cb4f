"""What the rest of the product may ask of a provider."""

from dataclasses import dataclass
from typing import Any, Protocol

from models_registry.providers.counters import Counters
from models_registry.providers.observation import GpuMemory, Observation, ServerInfo


class TritonGateway(Protocol):
    """One Triton server. Every call has a deadline and fails as one of two types.

    ProviderUnavailable: no usable answer. ProviderRefused: it answered and said no.
    An instance belongs to one thread of one process: take it from `gateway_for`, do not keep it.
    """

    def observe(self) -> Observation:
        """The state of every model, by one call. Raises ProviderUnavailable only."""

    def is_ready(self, name: str, version: str = "") -> bool:
        """Whether the model answers requests now; False for unknown ones. Raises ProviderUnavailable only."""

    def post_load(self, name: str, *, config: dict[str, Any] | None = None) -> bool:
        """Post a load, once and never again; `config` replaces the model's own configuration.

        True: the server says it is loaded (verify by `is_ready`). False: sent, but there was no
        answer in time, or the connection broke after sending; the load goes on in the server, or
        is lost: watch the index, do not post again.
        Raises ProviderRefused with the server's message when it failed, ProviderUnavailable when
        nothing was sent.
        """

    def post_unload(self, name: str) -> None:
        """Post an unload; memory is back only when the index says so. No answer in time counts as sent.

        Proves nothing about the model: Triton accepts unknown names.
        Raises ProviderRefused, or ProviderUnavailable when nothing was sent.
        """

    def server_info(self) -> ServerInfo:
        """Name, version and extensions of the server."""

    def effective_config(self, name: str) -> dict[str, Any] | None:
        """The configuration a loaded model runs with; None when it is not loaded or not known."""

    def counters(self) -> tuple[Counters, ...]:
        """What the server has counted of each version of its loaded models, by one call.

        Empty where it counts nothing. Raises ProviderUnavailable only.
        """

    def gpu_memory(self) -> GpuMemory | None:
        """GPU memory by the server's metrics page; None where that tells nothing (no page, no GPU, no answer)."""

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One model that an API provider offers under `remote_name` (of Azure: a deployment).

    `underlying` is the model behind a deployment. `reason` says why it cannot be used, where it cannot.
    """

    remote_name: str
    underlying: str = ""
    reason: str = ""


class ApiGateway(Protocol):
    """One provider that speaks the OpenAI API. Asks only what is free: lists and look-ups, never a completion.

    Every question ends within the provider's time-out and fails as one of two types, whose `outcome` tells
    what happened. ProviderUnavailable: unreachable, tls_failed, provider_down. ProviderRefused: rate_limited
    (with `retry_after_s` where it was told), credential_invalid, refused. No message holds a key.
    An instance belongs to one thread of one process: take it from `gateways.api`, do not keep it.
    """

    key_in_use: int
    """Which of the provider's keys the last question was answered with, counted from 1; 0 before, or keyless."""

    def offers(self) -> tuple[Offer, ...] | None:
        """All that the provider offers, by name; None where it answers well and has no free list (see AzureGateway)."""

    def offered(self, remote_name: str) -> bool:
        """Whether the provider offers the model for use now; True also where it has no free way to tell."""

    def close(self) -> None:
        """Close the connections; the next question opens new ones."""
