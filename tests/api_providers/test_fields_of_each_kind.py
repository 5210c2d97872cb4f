"""Which fields a kind of provider needs, and what each that does not fit says."""

from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from modelmanager.lib.refusals import Invalid
from models_registry.models import Provider
from models_registry.services.provider_rules import fields_for
from models_registry.services.providers import create_provider
from models_registry.vocabulary import ProviderKind

pytestmark = pytest.mark.django_db
KEY = "sk-0123456789abcdef"
AZURE = "https://8.8.8.8"
DEPLOYMENTS = f"{AZURE}/openai/deployments/gpt4/chat/completions?api-version=2025-01-01-preview"
PEM = trustme.CA().cert_pem.bytes().decode()
PRIVATE_KEY = (
    ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
)
FINE: dict[str, dict[str, Any]] = {
    "openai": {"kind": "openai", "base_url": "https://8.8.8.8/v1", "api_key": KEY},
    "classic": {"kind": "azure_openai", "base_url": AZURE, "api_version": "2024-10-21", "api_key": KEY},
    "v1": {"kind": "azure_openai", "base_url": f"{AZURE}/openai/v1", "api_key": KEY},
    "compatible": {"kind": "openai_compatible", "base_url": "http://8.8.8.8:8000/v1"},
    "triton": {"kind": "triton", "base_url": "http://8.8.8.8:8000"},
}


def create(kind: str, **fields: Any) -> Provider:
    return create_provider(actor="user:kim", **({"name": "provider"} | FINE[kind] | fields))


def wrong(kind: str, **fields: Any) -> dict[str, str]:
    """The codes of what is refused, by field."""
    with pytest.raises(Invalid) as refused:
        create(kind, **fields)
    errors = refused.value.extra["errors"]
    assert len({error["field"] for error in errors}) == len(errors)
    assert all(error["detail"] for error in errors)
    return {error["field"]: error["code"] for error in errors}


def detail(kind: str, field: str, **fields: Any) -> str:
    with pytest.raises(Invalid) as refused:
        create(kind, **fields)
    return next(error["detail"] for error in refused.value.extra["errors"] if error["field"] == field)


@pytest.mark.parametrize("kind", FINE)
def test_what_fits_is_taken(kind: str) -> None:
    provider = create(kind)
    assert provider.max_loaded_models == (1 if kind == "triton" else None)
    assert provider.health_state == "unknown"


@pytest.mark.parametrize(
    ("kind", "fields", "errors"),
    [
        ("openai", {"api_key": ""}, {"api_key": "required"}),
        ("openai", {"api_version": "2024-10-21"}, {"api_version": "not_applicable"}),
        ("openai", {"metrics_url": "https://8.8.8.8/m"}, {"metrics_url": "not_applicable"}),
        ("openai", {"gpu_memory_mb": 8000}, {"gpu_memory_mb": "not_applicable"}),
        ("openai", {"max_loaded_models": 2}, {"max_loaded_models": "not_applicable"}),
        ("openai", {"base_url": "https://x.openai.azure.com"}, {"base_url": "wrong_kind"}),
        ("openai", {"base_url": "https://api.openai.com"}, {"base_url": "invalid_url"}),
        ("openai", {"base_url": "https://8.8.8.8/v1/chat/completions"}, {"base_url": "invalid_url"}),
        ("openai", {"base_url": "http://8.8.8.8/v1"}, {"base_url": "tls_required"}),
        ("openai", {"base_url": "http://[::1"}, {"base_url": "invalid_url"}),
        ("openai", {"base_url": "https://169.254.169.254/v1"}, {"base_url": "invalid_url"}),
        ("openai", {"base_url": "https://127.0.0.1/v1"}, {"base_url": "invalid_url"}),
        ("openai", {"proxy_url": "http://10.0.0.1:3128"}, {"proxy_url": "invalid_url"}),
        ("openai", {"proxy_url": "http://user:word@8.8.8.8"}, {"proxy_url": "invalid_url"}),
        ("openai", {"api_key": "with space"}, {"api_key": "invalid"}),
        ("openai", {"api_key_2": "line\nbreak"}, {"api_key_2": "invalid"}),
        ("openai", {"organization": "line\nbreak"}, {"organization": "invalid"}),
        ("compatible", {"project": "조직"}, {"project": "invalid"}),
        ("openai", {"timeout_s": 0}, {"timeout_s": "min_value"}),
        ("openai", {"timeout_s": 121}, {"timeout_s": "max_value"}),
        ("openai", {"ca_certificates": "nonsense"}, {"ca_certificates": "invalid"}),
        ("openai", {"ca_certificates": "인증서"}, {"ca_certificates": "invalid"}),
        ("openai", {"ca_certificates": PEM + PRIVATE_KEY}, {"ca_certificates": "private_key"}),
        ("classic", {"api_version": ""}, {"api_version": "required"}),
        ("classic", {"api_version": "latest"}, {"api_version": "invalid"}),
        ("classic", {"organization": "org-1"}, {"organization": "not_applicable"}),
        ("classic", {"base_url": f"{AZURE}/openai/models"}, {"base_url": "call_in_endpoint"}),
        (
            "classic",
            {"base_url": f"{AZURE}?api-version=2024-10-21"},
            {"base_url": "api_version_in_endpoint"},
        ),
        ("classic", {"base_url": DEPLOYMENTS}, {"base_url": "deployment_in_endpoint"}),
        (
            "classic",
            {"base_url": DEPLOYMENTS, "api_version": ""},
            {"base_url": "deployment_in_endpoint", "api_version": "required"},
        ),
        ("v1", {"api_version": "2024-10-21"}, {"api_version": "not_applicable"}),
        ("v1", {"base_url": f"{AZURE}/openai/v1/chat/completions"}, {"base_url": "call_in_endpoint"}),
        ("v1", {"base_url": "nonsense"}, {"base_url": "invalid_url", "api_version": "required"}),
        ("v1", {"api_key": ""}, {"api_key": "required"}),
        ("compatible", {"api_key": KEY}, {"base_url": "tls_required"}),
        ("compatible", {"base_url": "http://8.8.8.8/v1/models"}, {"base_url": "invalid_url"}),
        (
            "triton",
            {"organization": "org-1", "project": "p"},
            {"organization": "not_applicable", "project": "not_applicable"},
        ),
        ("triton", {"proxy_url": "http://8.8.8.8"}, {"proxy_url": "not_applicable"}),
        ("triton", {"timeout_s": 20}, {"timeout_s": "not_applicable"}),
    ],
)
def test_each_field_that_does_not_fit_is_named(kind: str, fields: dict[str, Any], errors: dict[str, str]) -> None:
    assert wrong(kind, **fields) == errors
    assert not Provider.objects.exists()


def test_a_pasted_endpoint_is_told_where_each_part_belongs() -> None:
    pasted = {"base_url": DEPLOYMENTS, "api_version": ""}
    about_the_endpoint = detail("classic", "base_url", **pasted)
    assert f"{AZURE}." in about_the_endpoint
    assert "“gpt4”" in about_the_endpoint
    assert "remote name" in about_the_endpoint
    assert "2025-01-01-preview" in detail("classic", "api_version", **pasted)


def test_a_private_network_may_be_called_without_tls() -> None:
    fields = {"base_url": "http://10.0.0.5:8000/v1", "allow_private_network": True, "api_key": KEY}
    assert create("compatible", **fields).base_url == "http://10.0.0.5:8000/v1"


def test_the_second_key_alone_is_a_key() -> None:
    assert create("openai", api_key="", api_key_2=KEY).api_key_2_hint == "…cdef"


def test_certificates_are_kept_as_they_were_given() -> None:
    assert create("openai", ca_certificates=f"\n{PEM}\n").ca_certificates == PEM.strip()


def test_two_providers_may_share_an_address_that_is_no_gpu() -> None:
    create("openai")
    assert create("openai", name="second").pk


@pytest.mark.parametrize("kind", ProviderKind.values)
def test_the_fields_of_a_kind_are_those_it_does_not_refuse(kind: str) -> None:
    fields = fields_for(kind)
    assert {"name", "kind", "base_url", "client_url", "api_key", "drain_s", "enabled"} <= set(fields)
    assert ("gpu_memory_mb" in fields) == (kind == "triton")
    assert ("api_version" in fields) == (kind == "azure_openai")
    assert ("organization" in fields) == (kind in ("openai", "openai_compatible"))
