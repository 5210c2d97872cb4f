"""Which fields fit which kind of provider, and whether they fit each other. Every error stands on its own field."""

import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from models_registry.addresses import problem_with
from models_registry.models import Provider
from models_registry.providers.azure import API_VERSION, Endpoint, endpoint_of
from models_registry.vocabulary import ProviderKind

Error = tuple[str, str, str]
"""Field, code, and what to do."""

ADDRESSES = ("base_url", "client_url", "metrics_url", "proxy_url")
OF_TRITON = ("metrics_url", "gpu_memory_mb", "max_loaded_models")
OF_AN_API = ("organization", "project", "proxy_url", "ca_certificates", "api_key_2", "timeout_s")
# What means nothing for a kind, and is refused there rather than kept and ignored.
FOREIGN = {
    ProviderKind.TRITON: (*OF_AN_API, "api_version"),
    ProviderKind.OPENAI: (*OF_TRITON, "api_version"),
    ProviderKind.AZURE_OPENAI: (*OF_TRITON, "organization", "project"),
    ProviderKind.OPENAI_COMPATIBLE: (*OF_TRITON, "api_version"),
}
AZURE_HOSTS = (".openai.azure.com", ".openai.azure.us", ".cognitiveservices.azure.com", ".services.ai.azure.com")
# Ends of addresses that people copy from examples of calls.
CALLS = ("/chat/completions", "/completions", "/embeddings", "/responses", "/models")


def fields_for(kind: str) -> list[str]:
    """The fields of a provider that mean something for its kind."""
    foreign = FOREIGN.get(ProviderKind(kind), ())
    return [field.name for field in Provider._meta.fields if field.editable and field.name not in foreign]


def rule_errors(provider: Provider) -> list[Error]:
    """What is wrong with a provider beyond the form of its single fields. May look names up."""
    if provider.kind not in FOREIGN:
        return list(_address_errors(provider))
    errors = [*_foreign_errors(provider)]
    if provider.is_triton:
        return [*errors, *_address_errors(provider), *_room_errors(provider)]
    endpoint = list(_azure_errors(provider) if provider.kind == ProviderKind.AZURE_OPENAI else _openai_errors(provider))
    # What is said of the parts of an address is worth more than that it is none.
    told = {field for field, _code, _detail in endpoint}
    errors += endpoint + [error for error in _address_errors(provider) if error[0] not in told]
    return [*errors, *_header_errors(provider), *_certificate_errors(provider), *_plain_http_errors(provider)]


def _foreign_errors(provider: Provider) -> Iterator[Error]:
    for field in FOREIGN[ProviderKind(provider.kind)]:
        unset = Provider().timeout_s if field == "timeout_s" else ""
        if getattr(provider, field) not in (unset, "", None):
            detail = _("This means nothing for a provider of kind %(kind)s: leave it empty.")
            yield field, "not_applicable", detail % {"kind": provider.get_kind_display()}


def _address_errors(provider: Provider) -> Iterator[Error]:
    for field in ADDRESSES:
        url = getattr(provider, field)
        # client_url is told to clients and never called by us.
        allowed = provider.allow_private_network or field == "client_url"
        if url and (problem := problem_with(url, allow_private_network=allowed)):
            yield field, "invalid_url", problem


def _room_errors(provider: Provider) -> Iterator[Error]:
    if provider.max_loaded_models is None and provider.gpu_memory_mb is None:
        yield "max_loaded_models", "required", _("Declare the GPU's memory or how many models it holds at a time.")


def _openai_errors(provider: Provider) -> Iterator[Error]:
    url = provider.base_url
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return  # no URL at all: the address errors say so
    if host.endswith(AZURE_HOSTS):
        yield "base_url", "wrong_kind", _("This is an endpoint of Azure OpenAI: choose that kind.")
    elif call := next((call for call in CALLS if url.endswith(call)), ""):
        detail = _("Only the beginning that all calls share belongs here: %(url)s")
        yield "base_url", "invalid_url", detail % {"url": url.removesuffix(call)}
    elif host == "api.openai.com" and not urlsplit(url).path:
        yield "base_url", "invalid_url", _("The API begins at %(url)s") % {"url": f"{url}/v1"}


def _azure_errors(provider: Provider) -> Iterator[Error]:
    try:
        endpoint = endpoint_of(provider.base_url)
    except ValueError:
        return  # no URL at all: the address errors say so
    yield from _azure_endpoint_errors(endpoint)
    yield from _azure_version_errors(endpoint, provider.api_version)


def _azure_endpoint_errors(endpoint: Endpoint) -> Iterator[Error]:
    if endpoint.deployment:
        detail = _(
            "Only the endpoint belongs here: %(endpoint)s. “%(deployment)s” is a deployment: register it as a model "
            "of this provider, with that as its remote name."
        )
        yield (
            "base_url",
            "deployment_in_endpoint",
            detail % {"endpoint": endpoint.url, "deployment": endpoint.deployment},
        )
    elif endpoint.rest:
        detail = _("Only the endpoint belongs here: %(endpoint)s, without “%(rest)s”.")
        yield "base_url", "call_in_endpoint", detail % {"endpoint": endpoint.url, "rest": endpoint.rest}
    elif endpoint.api_version:
        detail = _("Only the endpoint belongs here: %(endpoint)s. The API version has a field of its own.")
        yield "base_url", "api_version_in_endpoint", detail % {"endpoint": endpoint.url}


def _azure_version_errors(endpoint: Endpoint, version: str) -> Iterator[Error]:
    if endpoint.is_v1:
        if version:
            detail = _("The v1 endpoint has no API version: leave this empty, or give the endpoint as %(endpoint)s")
            yield "api_version", "not_applicable", detail % {"endpoint": endpoint.root}
    elif not version:
        hint = endpoint.api_version or "2024-10-21"
        detail = _("A classic endpoint needs an API version, such as %(version)s; its v1 form %(endpoint)s needs none.")
        yield "api_version", "required", detail % {"version": hint, "endpoint": f"{endpoint.root}/openai/v1"}
    elif not API_VERSION.match(version):
        yield "api_version", "invalid", _("An API version is a date, such as 2024-10-21 or 2025-04-01-preview.")


def _header_errors(provider: Provider) -> Iterator[Error]:
    for field in ("organization", "project"):
        value = getattr(provider, field)
        if not (value.isascii() and value.isprintable()):
            yield field, "invalid", _("This is sent as a header: use plain letters, digits and signs.")


def _certificate_errors(provider: Provider) -> Iterator[Error]:
    text = provider.ca_certificates
    if "PRIVATE KEY" in text:
        yield "ca_certificates", "private_key", _("This holds a private key: give the certificates alone.")
    elif text and not _are_certificates(text):
        yield "ca_certificates", "invalid", _("Give certificates in PEM form, each from BEGIN to END CERTIFICATE.")


def _are_certificates(text: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError, TypeError):
        return False
    return True


def _plain_http_errors(provider: Provider) -> Iterator[Error]:
    is_plain = provider.base_url.lower().startswith("http://")
    if is_plain and not provider.allow_private_network and (provider.api_key or provider.api_key_2):
        yield "base_url", "tls_required", _("A key is sent by https:// only, but to a provider on a private network.")
