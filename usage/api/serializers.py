"""Leases and bindings as the API shows and takes them."""

from typing import Any

from rest_framework import serializers

from modelmanager.api.fields import StrictSerializer, UtcDateTimeField
from models_registry.api.serializers import ConfigSerializer
from models_registry.vocabulary import Observed, ProviderKind
from usage.models import CloseReason


class LeaseRequestSerializer(StrictSerializer):
    model = serializers.CharField(max_length=200)
    ttl_s = serializers.IntegerField(min_value=5, max_value=3600, default=60)
    wait_s = serializers.FloatField(min_value=0, max_value=60, default=0)
    instance = serializers.CharField(max_length=200, allow_blank=True, default="")


class RenewSerializer(StrictSerializer):
    ttl_s = serializers.IntegerField(min_value=5, max_value=3600, required=False)


class ReleaseSerializer(StrictSerializer):
    usage = serializers.ListField(
        required=False, max_length=0, help_text="Usage reports are not taken yet: leave it out or empty."
    )


class ConnectionSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=ProviderKind.choices)
    url = serializers.CharField()
    model_name = serializers.CharField()
    model_version = serializers.CharField()


class LeaseSerializer(serializers.Serializer[Any]):
    """A lease. `closed_at` and `close_reason` are null and empty while it is open."""

    id = serializers.IntegerField()
    model = serializers.CharField()
    client = serializers.CharField()
    instance = serializers.CharField()
    config = ConfigSerializer()
    connection = ConnectionSerializer()
    granted_at = UtcDateTimeField()
    expires_at = UtcDateTimeField()
    renew_after_s = serializers.FloatField()
    verified_at = UtcDateTimeField()
    verify_ms = serializers.FloatField()
    closed_at = UtcDateTimeField(allow_null=True)
    close_reason = serializers.ChoiceField(choices=CloseReason.choices, allow_blank=True)


class BindingRequestSerializer(StrictSerializer):
    model = serializers.CharField(max_length=200)
    reference = serializers.CharField(max_length=200)
    note = serializers.CharField(max_length=500, allow_blank=True, default="")


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
