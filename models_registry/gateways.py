"""From a provider's row to the gateway that talks to it."""

from django.conf import settings as installation
from django.utils.translation import gettext as _

from models_registry.models import Provider
from models_registry.own_words import retold
from models_registry.providers.api import ApiSettings, api_gateway_for
from models_registry.providers.errors import Outcome, ProviderError, ProviderRefused
from models_registry.providers.gateway import ApiGateway, TritonGateway
from models_registry.providers.observation import RemoteModel, RemoteState
from models_registry.providers.triton import gateway_for
from models_registry.refusals import ProviderUnreachable


def triton(provider: Provider) -> TritonGateway:
    """This thread's kept-alive gateway to a Triton provider; times out after TRITON_TIMEOUT_S."""
    return gateway_for(
        provider.base_url,
        metrics_url=provider.metrics_url,
        allow_private_network=provider.allow_private_network,
        timeout_s=installation.TRITON_TIMEOUT_S,
    )


def api(provider: Provider, *, within_s: float | None = None) -> ApiGateway:
    """This thread's gateway to an API provider; each question ends within the provider's `timeout_s`, or sooner.

    The second key is used only while the first is refused or cannot be read. Raises ProviderRefused
    (credential_invalid) when there is a key and none of the installation's keys opens it.
    """
    keys = (provider.api_key, provider.api_key_2)
    if provider.keys_are_unreadable:
        raise ProviderRefused(provider.health_told, outcome=Outcome.CREDENTIAL_INVALID)
    settings = ApiSettings(
        kind=provider.kind,
        base_url=provider.base_url,
        api_version=provider.api_version,
        organization=provider.organization,
        project=provider.project,
        keys=keys,
        timeout_s=min(provider.timeout_s, within_s or provider.timeout_s),
        proxy_url=provider.proxy_url,
        ca_certificates=provider.ca_certificates,
        allow_private_network=provider.allow_private_network,
    )
    return api_gateway_for(settings, kept_as=provider.pk)


def refuse_disabled(provider: Provider) -> None:
    """Raise ProviderUnreachable for a provider that is switched off: nobody calls it."""
    if not provider.enabled:
        raise ProviderUnreachable(_("%(name)s is disabled.") % {"name": provider.name}, retry_after_s=60)


def look_up(provider: Provider, remote_name: str) -> RemoteModel:
    """What the provider says of one model now; an API provider's is ready or absent. Raises ProviderUnreachable."""
    try:
        if provider.is_triton:
            return triton(provider).observe().of(remote_name)
        offered = api(provider).offered(remote_name)
    except ProviderError as error:
        raise unreachable(provider, error) from error
    return RemoteModel(remote_name, RemoteState.READY if offered else RemoteState.ABSENT)


def unreachable(provider: Provider, error: ProviderError) -> ProviderUnreachable:
    """The refusal for a provider that gave no usable answer, with the outcome that tells why."""
    if isinstance(error, ProviderRefused):
        detail = _("%(provider)s refuses to answer: %(error)s")
    else:
        detail = _("%(provider)s does not answer: %(error)s")
    told = detail % {"provider": provider.name, "error": retold(error.message)}
    return ProviderUnreachable(told, retry_after_s=error.retry_after_s or 5, outcome=error.outcome.value)
