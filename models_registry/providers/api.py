"""OpenAI, Azure OpenAI and whatever speaks the OpenAI API, by the `openai` library.

`openai` takes a second or more to import, so it is imported at the first call.
"""

import contextlib
import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from models_registry.providers.api_failures import failure_of
from models_registry.providers.azure import endpoint_of
from models_registry.providers.errors import Outcome, ProviderError, ProviderRefused, ProviderUnavailable
from models_registry.providers.exchange import Exchange
from models_registry.providers.gateway import ApiGateway, Offer
from models_registry.providers.guarded_http import new_client

# The last API version in which an Azure resource lists its deployments to a caller with a key (the later ones moved
# that to Azure's management API, which knows no such keys).
DEPLOYMENTS_VERSION = "2023-03-15-preview"

# How servers say no to the look-up of a model, those included that know no look-ups or fall over unknown names; and
# how they, or what stands before them, say nothing about it.
SAY_NO = (Outcome.NOT_OFFERED, Outcome.REFUSED, Outcome.PROVIDER_DOWN)
TOO_BUSY = (408, 502, 503, 504, 529)


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """All that a gateway needs to know of a provider. `keys` are tried in this order; an empty one is none."""

    kind: str
    base_url: str
    api_version: str = ""
    organization: str = ""
    project: str = ""
    keys: tuple[str, ...] = field(default=(), repr=False)
    timeout_s: float = 10.0
    proxy_url: str = ""
    ca_certificates: str = ""
    allow_private_network: bool = False


class OpenAIGateway:
    """An ApiGateway to OpenAI and to what is compatible with it."""

    def __init__(self, settings: ApiSettings) -> None:
        self.settings = settings
        self.key_in_use = 0
        self._exchange = Exchange()
        self._http: Any = None
        self._asking_with = 0

    def offers(self) -> tuple[Offer, ...] | None:
        return self._question(self._offers)

    def offered(self, remote_name: str) -> bool:
        return self._question(lambda: self._offered(remote_name))

    def close(self) -> None:
        http, self._http = self._http, None
        if http is not None:
            http.close()

    def _offers(self) -> tuple[Offer, ...] | None:
        return self._listed()

    def _listed(self) -> tuple[Offer, ...]:
        return _offers_in(self._get(f"{self.settings.base_url}/models"))

    def _offered(self, remote_name: str) -> bool:
        # The list first: few compatible servers can look up one model. The look-up then finds aliases.
        listed = {offer.remote_name: offer for offer in self._listed()}
        if remote_name in listed:
            return not listed[remote_name].reason
        if not remote_name.strip("."):
            return False  # a step up in a path, not a name
        try:
            found = self._get(f"{self.settings.base_url}/models/{quote(remote_name, safe='')}")
        except ProviderError as error:
            if error.outcome in SAY_NO and error.status not in TOO_BUSY:
                return False  # it has just answered with its list, and the model is not in it
            raise
        return isinstance(found, dict) and isinstance(found.get("id"), str)

    def _question(self, ask: Callable[[], Any]) -> Any:
        """Ask with the first key, and with the next where that is refused."""
        import openai  # noqa: F401 -- the time it takes to import is not the provider's

        numbers = [number for number, key in enumerate(self.settings.keys, start=1) if key]
        for number in numbers or [0]:
            self._exchange.begin(self.settings.timeout_s)
            self._asking_with = number
            try:
                answer = ask()
            except ProviderError as error:
                refusal = error
                if error.outcome != Outcome.CREDENTIAL_INVALID:
                    break
            else:
                self.key_in_use = number
                return answer
        raise refusal

    @property
    def _key(self) -> str:
        return self.settings.keys[self._asking_with - 1] if self._asking_with else ""

    def _get(self, url: str, *, api_version: str = "") -> Any:
        """The document at `url`. Raises our two types only; the library's errors hold the key, and are let go."""
        try:
            return self._fetched(url, api_version)
        except ProviderError as error:
            failure = error
        except Exception as error:
            failure = failure_of(error, secrets=self.settings.keys)
        if isinstance(failure, ProviderUnavailable):
            self.close()
        raise failure

    def _fetched(self, url: str, api_version: str) -> Any:
        import httpx2

        query = {"api-version": api_version} if api_version else {}
        options: Any = {"headers": self._headers(), "params": query}
        answer = self._client().get(url, cast_to=httpx2.Response, options=options)
        # Not raised while the other is handled, which holds the answer, and with it what the answer repeats.
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(answer.content)
        message = "the answer is not JSON: is the base URL that of an OpenAI API?"
        raise ProviderUnavailable(message, outcome=Outcome.PROVIDER_DOWN)

    def _client(self) -> Any:
        from openai import OpenAI

        if self._http is None:
            self._http = new_client(
                self._exchange,
                proxy_url=self.settings.proxy_url,
                ca_certificates=self.settings.ca_certificates,
                allow_private_network=self.settings.allow_private_network,
            )
        return OpenAI(
            api_key=self._key or "none",
            base_url=self.settings.base_url,
            organization=self.settings.organization,
            project=self.settings.project,
            max_retries=0,
            timeout=self.settings.timeout_s,
            http_client=self._http,
        )

    def _headers(self) -> dict[str, Any]:
        """Headers beside the library's own; one that would be empty is left out."""
        from openai import Omit

        headers: dict[str, Any] = {}
        if not self._key:
            headers["Authorization"] = Omit()
        if not self.settings.organization:
            headers["OpenAI-Organization"] = Omit()
        if not self.settings.project:
            headers["OpenAI-Project"] = Omit()
        return headers


class AzureGateway(OpenAIGateway):
    """An ApiGateway to one Azure OpenAI resource, by its classic or its v1 endpoint.

    What such a resource offers are its deployments. It has no documented list of them for callers with a key:
    the models it lists are those that could be deployed. So the documented list proves endpoint, API version and
    key, and an older API version, still served, tells the deployments. Where a resource does not serve that,
    `offers` is None and `offered` True: nothing free would tell.
    """

    def _offers(self) -> tuple[Offer, ...] | None:
        self._prove()
        return self._deployments()

    def _offered(self, remote_name: str) -> bool:
        offers = self._offers()
        return offers is None or any(offer.remote_name == remote_name and not offer.reason for offer in offers)

    def _prove(self) -> None:
        """Raise what is wrong with endpoint, API version or key."""
        endpoint = endpoint_of(self.settings.base_url)
        if endpoint.is_v1:
            self._get(f"{endpoint.url}/models", api_version=self.settings.api_version)
        else:
            self._get(f"{endpoint.root}/openai/models", api_version=self.settings.api_version)

    def _deployments(self) -> tuple[Offer, ...] | None:
        try:
            root = endpoint_of(self.settings.base_url).root
            return _offers_in(self._get(f"{root}/openai/deployments", api_version=DEPLOYMENTS_VERSION))
        except ProviderRefused as refusal:
            if refusal.status in (400, 404, 410):
                return None
            raise

    def _headers(self) -> dict[str, Any]:
        from openai import Omit

        return super()._headers() | {"Authorization": Omit(), "api-key": self._key}


def _offers_in(document: Any) -> tuple[Offer, ...]:
    """The offers of a list as OpenAI answers it (`data`: objects with an `id`); null is an empty list.

    A row whose name nobody could store or type, such as one with NUL or half a surrogate pair, is passed over.
    """
    rows = document.get("data", ...) if isinstance(document, dict) else document
    if rows is None:
        return ()
    if not isinstance(rows, list):
        raise ProviderUnavailable("broken answer: no list of models", outcome=Outcome.PROVIDER_DOWN)
    found = {row["id"]: _offer(row) for row in rows if isinstance(row, dict) and _plain(row.get("id"))}
    return tuple(offer for _name, offer in sorted(found.items()))


def _offer(row: dict[str, Any]) -> Offer:
    status = _plain(row.get("status"))
    waits = status not in ("", "succeeded", "ready", "active", "available", "loaded")
    return Offer(row["id"], _plain(row.get("model")), status if waits else "")


def _plain(value: Any) -> str:
    """A text that can be stored and shown as it is; empty for anything else."""
    return value if isinstance(value, str) and value.isprintable() else ""


class _Kept(threading.local):
    """What one thread keeps: one gateway for each provider."""

    def __init__(self) -> None:
        self.gateways: dict[object, OpenAIGateway] = {}


_kept = _Kept()


def _start_anew_after_fork() -> None:
    """A child shares its parent's connections until it makes its own."""
    _kept.gateways = {}


os.register_at_fork(after_in_child=_start_anew_after_fork)


def api_gateway_for(settings: ApiSettings, *, kept_as: object) -> ApiGateway:
    """This thread's gateway under the name `kept_as`, made anew when its settings changed."""
    gateway = _kept.gateways.get(kept_as)
    if gateway is None or gateway.settings != settings:
        if gateway is not None:
            gateway.close()
        make = AzureGateway if settings.kind == "azure_openai" else OpenAIGateway
        gateway = _kept.gateways[kept_as] = make(settings)
    return gateway
