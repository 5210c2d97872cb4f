"""Providers, what they offer and what is imported of it, as the API shows and takes them."""

from typing import Any

from rest_framework import serializers

from modelmanager.api.fields import (
    NameField,
    StrictSerializer,
    TextField,
    TruthField,
    UtcDateTimeField,
    WholeNumberField,
)
from models_registry.providers.errors import Outcome
from models_registry.services import importing
from models_registry.vocabulary import ModelKind, Policy, ProviderKind

OUTCOMES = [(outcome.value, outcome.value) for outcome in Outcome]
IMPORT_OUTCOMES = [(outcome.value, outcome.value) for outcome in importing.Outcome]
HEALTH_STATES = [("ok", "ok"), ("failing", "failing"), ("unknown", "unknown")]


class HealthSerializer(serializers.Serializer[Any]):
    """Of an API provider: `outcome` is what the last check found, `state` what several did, since when.

    `flaps` is how often a check failed right after one that passed, since it was steady.
    """

    state = serializers.ChoiceField(choices=HEALTH_STATES, source="health_state")
    checked_at = UtcDateTimeField(allow_null=True)
    error = serializers.CharField(source="health_told")
    consecutive_failures = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=OUTCOMES, allow_blank=True, source="health_code")
    since = UtcDateTimeField(allow_null=True, source="health_since")
    flaps = serializers.IntegerField()


class ProviderSerializer(serializers.Serializer[Any]):
    """A provider as it is shown; its key never is."""

    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=ProviderKind.choices)
    base_url = serializers.CharField()
    client_url = serializers.CharField()
    metrics_url = serializers.CharField()
    api_version = serializers.CharField()
    organization = serializers.CharField()
    project = serializers.CharField()
    api_key_hint = serializers.CharField()
    api_key_2_hint = serializers.CharField()
    timeout_s = serializers.IntegerField()
    proxy_url = serializers.CharField()
    ca_certificates = serializers.CharField()
    allow_private_network = serializers.BooleanField()
    gpu_memory_mb = serializers.IntegerField(allow_null=True)
    max_loaded_models = serializers.IntegerField(allow_null=True)
    drain_s = serializers.IntegerField()
    enabled = serializers.BooleanField()
    health = HealthSerializer(source="*")
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()


class ProviderEditSerializer(StrictSerializer):
    """What can be changed about a provider; `name` and `kind` only be repeated."""

    ignored = tuple(ProviderSerializer().fields)

    base_url = TextField(max_length=255)
    client_url = TextField(max_length=255, allow_blank=True, required=False)
    metrics_url = TextField(max_length=255, allow_blank=True, required=False)
    api_version = TextField(max_length=40, allow_blank=True, required=False)
    organization = TextField(max_length=100, allow_blank=True, required=False)
    project = TextField(max_length=100, allow_blank=True, required=False)
    api_key = TextField(max_length=1000, allow_blank=True, required=False, write_only=True)
    api_key_2 = TextField(max_length=1000, allow_blank=True, required=False, write_only=True)
    timeout_s = WholeNumberField(min_value=1, max_value=120, required=False)
    proxy_url = TextField(max_length=255, allow_blank=True, required=False)
    ca_certificates = TextField(max_length=100_000, allow_blank=True, required=False)
    allow_private_network = TruthField(required=False)
    gpu_memory_mb = WholeNumberField(min_value=1, max_value=2**31 - 1, allow_null=True, required=False)
    max_loaded_models = WholeNumberField(min_value=1, max_value=2**31 - 1, allow_null=True, required=False)
    drain_s = WholeNumberField(min_value=0, max_value=86400, required=False)
    enabled = TruthField(required=False)


class ProviderCreateSerializer(ProviderEditSerializer):
    name = NameField()
    kind = serializers.ChoiceField(choices=ProviderKind.choices)


class CheckSerializer(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    latency_ms = serializers.FloatField()
    detail = serializers.CharField()
    server_version = serializers.CharField()
    outcome = serializers.ChoiceField(choices=OUTCOMES, allow_blank=True)


class CatalogEntrySerializer(serializers.Serializer[Any]):
    remote_name = serializers.CharField()
    state = serializers.CharField()
    reason = serializers.CharField()
    registered_as = serializers.CharField(allow_null=True)
    underlying = serializers.CharField()


class RemoteSerializer(StrictSerializer):
    remote_name = TextField(max_length=200)
    remote_version = TextField(max_length=40, required=False, allow_blank=True, default="")


class ImportSerializer(StrictSerializer):
    """Which of what the provider offers is registered, and as what; without `remote_names` all of it."""

    pattern = TextField(max_length=200, required=False, allow_blank=True)
    remote_names = serializers.ListField(child=TextField(max_length=200), allow_null=True, required=False)
    prefix = TextField(max_length=50, required=False, allow_blank=True)
    kind = serializers.ChoiceField(choices=ModelKind.choices, required=False)
    activation_policy = serializers.ChoiceField(choices=Policy.choices, required=False)
    gpu_memory_mb = WholeNumberField(min_value=1, max_value=2**31 - 1, allow_null=True, required=False)
    dry_run = TruthField(required=False, default=False)


class ImportedSerializer(serializers.Serializer[Any]):
    remote_name = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    outcome = serializers.ChoiceField(choices=IMPORT_OUTCOMES)
    detail = serializers.CharField()


class ImportReportSerializer(serializers.Serializer[Any]):
    dry_run = serializers.BooleanField()
    results = ImportedSerializer(many=True)


class VerifyRemoteSerializer(serializers.Serializer[Any]):
    remote_name = serializers.CharField()
    remote_version = serializers.CharField()
    state = serializers.CharField()
    reason = serializers.CharField()
    ready = serializers.BooleanField()
    registered_as = serializers.CharField(allow_null=True)
