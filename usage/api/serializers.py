"""Leases and bindings as the API shows and takes them."""

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from modelmanager.api.fields import NumberField, StrictSerializer, TextField, UtcDateTimeField, WholeNumberField
from models_registry.api.serializers import ConfigSerializer
from models_registry.vocabulary import Observed, ProviderKind
from usage.models import CloseReason, Outcome

TRITON = ProviderKind.TRITON.value


class LeaseRequestSerializer(StrictSerializer):
    model = TextField(max_length=200)
    ttl_s = WholeNumberField(min_value=5, max_value=3600, default=60)
    wait_s = NumberField(min_value=0, max_value=60, default=0)
    instance = TextField(max_length=200, allow_blank=True, default="")


class RenewSerializer(StrictSerializer):
    ttl_s = WholeNumberField(min_value=5, max_value=3600, required=False)


class UsageReportSerializer(StrictSerializer):
    """One call. What is taken is read by `usage.api.reports`, which says the same in less time."""

    event_id = TextField(max_length=64, help_text="The client's own: an event sent twice counts once.")
    model = TextField(max_length=200)
    occurred_at = UtcDateTimeField(help_text="Within the retention of records, at most five minutes ahead.")
    latency_ms = NumberField(min_value=0, max_value=86_400_000)
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    input_tokens = WholeNumberField(min_value=0, max_value=100_000_000, required=False, allow_null=True)
    output_tokens = WholeNumberField(min_value=0, max_value=100_000_000, required=False, allow_null=True)
    error_code = TextField(max_length=64, allow_blank=True, required=False, allow_null=True)
    lease = WholeNumberField(min_value=0, required=False, allow_null=True, help_text="A lease of the client's own.")
    config = WholeNumberField(
        min_value=0,
        required=False,
        allow_null=True,
        help_text="Number of the configuration; left out: the lease's, else what was in force then.",
    )


class LeaseUsageSerializer(UsageReportSerializer):
    """A call made under a lease that is released: model and lease are the lease's own when left out."""

    model = TextField(max_length=200, required=False)


class RecordedSerializer(serializers.Serializer[Any]):
    accepted = serializers.IntegerField(help_text="Calls that were new.")
    duplicates = serializers.IntegerField(help_text="Calls whose event was known already.")


class UsageRecordSerializer(serializers.Serializer[Any]):
    """A call as it is kept. `cost` is in millionths of the currency's unit."""

    event_id = serializers.CharField()
    client = serializers.CharField()
    model = serializers.CharField()
    config = serializers.IntegerField()
    lease = serializers.IntegerField(allow_null=True)
    occurred_at = UtcDateTimeField()
    received_at = UtcDateTimeField()
    latency_ms = serializers.FloatField()
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    error_code = serializers.CharField(allow_blank=True)
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    cost = serializers.IntegerField()


class ReleaseSerializer(StrictSerializer):
    usage = LeaseUsageSerializer(many=True, required=False, help_text="Calls made under the lease, at most 1,000.")


class TritonConnectionSerializer(serializers.Serializer[Any]):
    """A model on a Triton server. An empty version is the server's choice."""

    kind = serializers.ChoiceField(choices=[(TRITON, TRITON)])
    url = serializers.CharField()
    model_name = serializers.CharField()
    model_version = serializers.CharField()


class ApiConnectionSerializer(serializers.Serializer[Any]):
    """A model of an API provider: what the `openai` client is given.

    Of Azure `model` is the deployment, and an empty `api_version` means the v1 API. `api_key` is there only in the
    answer that grants the lease, only for a client key with scope `secrets`; empty where the provider needs none.
    """

    kind = serializers.ChoiceField(choices=[(kind, kind) for kind in ProviderKind.values if kind != TRITON])
    base_url = serializers.CharField()
    model = serializers.CharField()
    api_version = serializers.CharField()
    api_key = serializers.CharField(required=False)


ConnectionSerializer = PolymorphicProxySerializer(
    component_name="Connection",
    serializers=[TritonConnectionSerializer, ApiConnectionSerializer],
    resource_type_field_name=None,
)


class LeaseSerializer(serializers.Serializer[Any]):
    """A lease. `closed_at` and `close_reason` are null and empty while it is open."""

    id = serializers.IntegerField()
    model = serializers.CharField()
    client = serializers.CharField()
    instance = serializers.CharField()
    config = ConfigSerializer()
    connection = serializers.SerializerMethodField()
    granted_at = UtcDateTimeField()
    expires_at = UtcDateTimeField()
    renew_after_s = serializers.FloatField()
    verified_at = UtcDateTimeField()
    verify_ms = serializers.FloatField()
    closed_at = UtcDateTimeField(allow_null=True)
    close_reason = serializers.ChoiceField(choices=CloseReason.choices, allow_blank=True)

    @extend_schema_field(ConnectionSerializer)
    def get_connection(self, lease: Any) -> Any:
        """Answers are built by hand; this describes them."""
        return lease["connection"]


class ReleasedSerializer(LeaseSerializer):
    """A lease that has ended; `usage` is what came of the calls reported with it."""

    usage = RecordedSerializer(allow_null=True)


class BindingRequestSerializer(StrictSerializer):
    model = TextField(max_length=200)
    reference = TextField(max_length=200)
    note = TextField(max_length=500, allow_blank=True, default="")


class BindingSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    client = serializers.CharField()
    model = serializers.CharField()
    reference = serializers.CharField()
    note = serializers.CharField()
    created_at = UtcDateTimeField()


class ImpactLeaseSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    client = serializers.CharField()
    instance = serializers.CharField()
    expires_at = UtcDateTimeField()


class ImpactBindingSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    client = serializers.CharField()
    reference = serializers.CharField()


class ImpactSerializer(serializers.Serializer[Any]):
    open_leases = serializers.IntegerField()
    leases = ImpactLeaseSerializer(many=True)
    bindings = ImpactBindingSerializer(many=True)
    wanted = serializers.BooleanField()
    observed = serializers.ChoiceField(choices=Observed.choices)
    window = serializers.CharField(allow_null=True)
    last_used_at = UtcDateTimeField(allow_null=True)
