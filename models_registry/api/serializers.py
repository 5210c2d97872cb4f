"""Providers and models as the API shows and takes them."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from modelmanager.api.fields import StrictSerializer, UtcDateTimeField
from modelmanager.lib.clock import now
from modelmanager.lib.slugs import NAME_PATTERN
from models_registry.models import Provider, RegisteredModel
from models_registry.vocabulary import ErrorCode, ModelKind, Observed, Policy, ProviderKind, Status, SwitchState

STATUS_WORDS = [(status.word, status.label) for status in Status]
HEALTH_STATES = [("ok", "ok"), ("failing", "failing"), ("unknown", "unknown")]


class HealthSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=HEALTH_STATES)
    checked_at = UtcDateTimeField(allow_null=True)
    error = serializers.CharField()
    consecutive_failures = serializers.IntegerField()


class ProviderSerializer(serializers.Serializer[Any]):
    """A provider as it is shown; its key never is."""

    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=ProviderKind.choices)
    base_url = serializers.CharField()
    client_url = serializers.CharField()
    metrics_url = serializers.CharField()
    api_version = serializers.CharField()
    api_key_hint = serializers.CharField()
    allow_private_network = serializers.BooleanField()
    gpu_memory_mb = serializers.IntegerField(allow_null=True)
    max_loaded_models = serializers.IntegerField(allow_null=True)
    drain_s = serializers.IntegerField()
    enabled = serializers.BooleanField()
    health = serializers.SerializerMethodField()
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()

    @extend_schema_field(HealthSerializer)
    def get_health(self, provider: Provider) -> Any:
        return HealthSerializer(
            {
                "state": provider.health_state,
                "checked_at": provider.checked_at,
                "error": provider.health_error,
                "consecutive_failures": provider.consecutive_failures,
            }
        ).data


class ProviderEditSerializer(StrictSerializer):
    """What can be changed about a provider; `name` and `kind` only be repeated."""

    ignored: tuple[str, ...] = ("name", "kind", "api_key_hint", "health", "created_at", "updated_at")

    base_url = serializers.CharField(max_length=255)
    client_url = serializers.CharField(max_length=255, allow_blank=True, required=False)
    metrics_url = serializers.CharField(max_length=255, allow_blank=True, required=False)
    api_version = serializers.CharField(max_length=40, allow_blank=True, required=False)
    api_key = serializers.CharField(max_length=1000, allow_blank=True, required=False, write_only=True)
    allow_private_network = serializers.BooleanField(required=False)
    gpu_memory_mb = serializers.IntegerField(min_value=1, max_value=2**31 - 1, allow_null=True, required=False)
    max_loaded_models = serializers.IntegerField(min_value=1, max_value=2**31 - 1, allow_null=True, required=False)
    drain_s = serializers.IntegerField(min_value=0, max_value=86400, required=False)
    enabled = serializers.BooleanField(required=False)


class ProviderCreateSerializer(ProviderEditSerializer):
    ignored = ("api_key_hint", "health", "created_at", "updated_at")

    name = serializers.RegexField(NAME_PATTERN, min_length=2, max_length=100)
    kind = serializers.ChoiceField(choices=ProviderKind.choices)


class CheckSerializer(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    latency_ms = serializers.FloatField()
    detail = serializers.CharField()
    server_version = serializers.CharField()


class CatalogEntrySerializer(serializers.Serializer[Any]):
    remote_name = serializers.CharField()
    state = serializers.CharField()
    reason = serializers.CharField()
    registered_as = serializers.CharField(allow_null=True)


class RemoteSerializer(StrictSerializer):
    remote_name = serializers.CharField(max_length=200)
    remote_version = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")


class VerifyRemoteSerializer(serializers.Serializer[Any]):
    remote_name = serializers.CharField()
    remote_version = serializers.CharField()
    state = serializers.CharField()
    reason = serializers.CharField()
    ready = serializers.BooleanField()
    registered_as = serializers.CharField(allow_null=True)


class SwitchSerializer(StrictSerializer):
    state = serializers.ChoiceField(choices=SwitchState.choices)
    until = UtcDateTimeField(allow_null=True, required=False)


class StatusDetailSerializer(serializers.Serializer[Any]):
    code = serializers.ChoiceField(choices=ErrorCode.choices, allow_blank=True)
    message = serializers.CharField()
    since = UtcDateTimeField(allow_null=True)


class WaitingSerializer(serializers.Serializer[Any]):
    """`for`: the models that hold the room; position 0 is the one being loaded."""

    until = UtcDateTimeField(allow_null=True)
    queue_position = serializers.IntegerField(allow_null=True)
    expected_ready_at = UtcDateTimeField(allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"for": serializers.ListField(child=serializers.CharField()), **super().get_fields()}


class ObservedSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=Observed.choices)
    reason = serializers.CharField()
    at = UtcDateTimeField(allow_null=True)


class ConfigSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    values = serializers.DictField()


class ConfigVersionSerializer(ConfigSerializer):
    comment = serializers.CharField()
    created_by = serializers.CharField()
    created_at = UtcDateTimeField()


class ModelSerializer(serializers.Serializer[Any]):
    """A model as it is shown. Prices are decimals in text, per 1M tokens."""

    name = serializers.CharField()
    display_name = serializers.CharField()
    description = serializers.CharField()
    kind = serializers.ChoiceField(choices=ModelKind.choices)
    provider = serializers.CharField(source="provider.name")
    remote_name = serializers.CharField()
    remote_version = serializers.CharField()
    gpu_memory_mb = serializers.IntegerField(allow_null=True)
    priority = serializers.IntegerField()
    pinned = serializers.BooleanField()
    activation_policy = serializers.ChoiceField(choices=Policy.choices)
    window = serializers.SerializerMethodField()
    idle_ttl_s = serializers.IntegerField()
    switch = serializers.SerializerMethodField()
    input_price = serializers.DecimalField(max_digits=12, decimal_places=6, allow_null=True)
    output_price = serializers.DecimalField(max_digits=12, decimal_places=6, allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    status = serializers.ChoiceField(choices=STATUS_WORDS, source="status_word")
    status_detail = serializers.SerializerMethodField()
    wanted = serializers.BooleanField()
    waiting = serializers.SerializerMethodField()
    observed = serializers.SerializerMethodField()
    open_leases = serializers.IntegerField()
    bindings = serializers.IntegerField()
    config = serializers.SerializerMethodField()
    last_used_at = UtcDateTimeField(allow_null=True)
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_window(self, model: RegisteredModel) -> None:
        return None

    @extend_schema_field(SwitchSerializer)
    def get_switch(self, model: RegisteredModel) -> Any:
        at = now()
        holds = model.switch.says_on(at) or model.switch.says_off(at)
        shown = {"state": model.switch_state, "until": model.switch_until}
        return SwitchSerializer(shown if holds else {"state": SwitchState.AUTO, "until": None}).data

    @extend_schema_field(StatusDetailSerializer)
    def get_status_detail(self, model: RegisteredModel) -> Any:
        code = ErrorCode(model.error_code)
        message = model.error_message or str(code.label)
        since = model.error_since if model.error_code else model.status_since
        return StatusDetailSerializer({"code": str(code), "message": message, "since": since}).data

    @extend_schema_field(WaitingSerializer(allow_null=True))
    def get_waiting(self, model: RegisteredModel) -> Any:
        return model.waiting

    @extend_schema_field(ObservedSerializer)
    def get_observed(self, model: RegisteredModel) -> Any:
        shown = {"state": model.observed, "reason": model.observed_reason, "at": model.observed_at}
        return ObservedSerializer(shown).data

    @extend_schema_field(ConfigSerializer)
    def get_config(self, model: RegisteredModel) -> Any:
        return {"number": model.config.number, "values": model.config.values} if model.config else None


class ProviderByName(serializers.CharField):
    """A living provider, by its name."""

    def to_internal_value(self, data: Any) -> Provider:  # type: ignore[override]
        provider = Provider.objects.filter(name=super().to_internal_value(data)).first()
        if provider is None:
            raise serializers.ValidationError(_("There is no such provider."), code="does_not_exist")
        return provider


class ModelEditSerializer(StrictSerializer):
    """What can be changed about a model; what is only told may be sent back unchanged."""

    ignored: tuple[str, ...] = (
        "name",
        "status",
        "status_detail",
        "wanted",
        "waiting",
        "observed",
        "open_leases",
        "bindings",
        "config",
        "last_used_at",
        "created_at",
        "updated_at",
    )

    display_name = serializers.CharField(max_length=200, allow_blank=True, required=False)
    description = serializers.CharField(max_length=4000, allow_blank=True, required=False)
    kind = serializers.ChoiceField(choices=ModelKind.choices, required=False)
    provider = ProviderByName()
    remote_name = serializers.CharField(max_length=200)
    remote_version = serializers.CharField(max_length=40, allow_blank=True, required=False)
    gpu_memory_mb = serializers.IntegerField(min_value=1, max_value=2**31 - 1, allow_null=True, required=False)
    priority = serializers.IntegerField(min_value=-1000, max_value=1000, required=False)
    pinned = serializers.BooleanField(required=False)
    activation_policy = serializers.ChoiceField(choices=Policy.choices, required=False)
    window = serializers.CharField(allow_null=True, required=False)
    idle_ttl_s = serializers.IntegerField(min_value=0, max_value=7 * 86400, required=False)
    switch = SwitchSerializer(required=False)
    input_price = serializers.DecimalField(
        max_digits=12, decimal_places=6, min_value=0, allow_null=True, required=False
    )
    output_price = serializers.DecimalField(
        max_digits=12, decimal_places=6, min_value=0, allow_null=True, required=False
    )
    tags = serializers.ListField(child=serializers.CharField(max_length=50), max_length=50, required=False)

    def validate_window(self, value: str | None) -> None:
        if value is not None:
            raise serializers.ValidationError(_("There are no windows yet."), code="does_not_exist")


class ModelCreateSerializer(ModelEditSerializer):
    ignored = tuple(name for name in ModelEditSerializer.ignored if name != "name")

    name = serializers.RegexField(NAME_PATTERN, min_length=2, max_length=100)
    verify = serializers.BooleanField(required=False, write_only=True)


class ActivateSerializer(StrictSerializer):
    until = UtcDateTimeField(allow_null=True, required=False)


class DeactivateSerializer(ActivateSerializer):
    force = serializers.BooleanField(required=False, default=False)


class VerifySerializer(serializers.Serializer[Any]):
    ready = serializers.BooleanField()
    observed = serializers.ChoiceField(choices=Observed.choices)
    checked_at = UtcDateTimeField()
    latency_ms = serializers.FloatField()
    detail = serializers.CharField()


class EventSerializer(serializers.Serializer[Any]):
    at = UtcDateTimeField()
    code = serializers.CharField()
    message = serializers.CharField()
    actor = serializers.CharField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        words = {name: serializers.ChoiceField(choices=STATUS_WORDS, source=f"{name}_word") for name in ("from", "to")}
        return {"at": fields.pop("at"), **words, **fields}
