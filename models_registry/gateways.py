"""From a provider's row to the gateway that talks to it."""

from django.conf import settings
from django.utils.translation import gettext as _

from models_registry.models import Provider
from models_registry.providers.errors import ProviderUnavailable
from models_registry.providers.gateway import TritonGateway
from models_registry.providers.observation import RemoteModel
from models_registry.providers.triton import gateway_for
from models_registry.refusals import ProviderUnreachable


def triton(provider: Provider) -> TritonGateway:
    """This thread's kept-alive gateway to a Triton provider; times out after TRITON_TIMEOUT_S."""
    return gateway_for(provider.base_url, metrics_url=provider.metrics_url, timeout_s=settings.TRITON_TIMEOUT_S)


def look_up(provider: Provider, remote_name: str) -> RemoteModel:
    """What the server says of one model now. Raises ProviderUnreachable."""
    try:
        return triton(provider).observe().of(remote_name)
    except ProviderUnavailable as error:
        raise unreachable(provider, error) from error


def unreachable(provider: Provider, error: Exception) -> ProviderUnreachable:
    """The refusal for a provider that did not answer."""
    detail = _("%(provider)s does not answer: %(error)s") % {"provider": provider.name, "error": error}
    return ProviderUnreachable(detail, retry_after_s=5)
