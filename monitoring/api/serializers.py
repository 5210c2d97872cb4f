"""Operations and residents as the API shows them."""

from typing import Any

from rest_framework import serializers

from modelmanager.api.fields import UtcDateTimeField
from monitoring.models import OperationKind, Outcome


class OperationSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    provider = serializers.CharField(source="provider.name")
    model = serializers.CharField(source="model.name")
    kind = serializers.ChoiceField(choices=OperationKind.choices)
    requested_by = serializers.CharField()
    started_at = UtcDateTimeField()
    posted_at = UtcDateTimeField(allow_null=True)
    deadline_at = UtcDateTimeField()
    finished_at = UtcDateTimeField(allow_null=True)
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    error = serializers.SerializerMethodField()

    def get_error(self, operation: Any) -> str | None:
        return operation.error or None


class ResidentSerializer(serializers.Serializer[Any]):
    remote_name = serializers.CharField()
    state = serializers.CharField()
    registered_as = serializers.CharField(allow_null=True)
    gpu_memory_mb = serializers.IntegerField(allow_null=True)
    measured_memory_mb = serializers.IntegerField(allow_null=True)
    open_leases = serializers.IntegerField()


class QueuedSerializer(serializers.Serializer[Any]):
    model = serializers.CharField()
    since = UtcDateTimeField()
    queue_position = serializers.IntegerField(allow_null=True)


class ResidentsSerializer(serializers.Serializer[Any]):
    """What occupies a GPU now, who waits for it, and what is being done."""

    residents = ResidentSerializer(many=True)
    queue = QueuedSerializer(many=True)
    operation = OperationSerializer(allow_null=True)
    gpu_memory_mb = serializers.IntegerField(allow_null=True)
    used_memory_mb = serializers.IntegerField()
    memory_held_since = UtcDateTimeField(allow_null=True)
    max_loaded_models = serializers.IntegerField(allow_null=True)
