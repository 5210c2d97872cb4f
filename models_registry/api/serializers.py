"""Models as the API shows and takes them."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from modelmanager.api.fields import (
    NameField,
    PriceField,
    StrictSerializer,
    TextField,
    TruthField,
    UtcDateTimeField,
    WholeNumberField,
    presented,
)
from modelmanager.lib.clock import now
from models_registry.models import Provider, RegisteredModel, Window
from models_registry.vocabulary import ErrorCode, ModelKind, Observed, Policy, Status, SwitchState
from models_registry.wanted import Switch

STATUS_WORDS = [(status.word, status.label) for status in Status]


class SwitchSerializer(StrictSerializer):
    state = serializers.ChoiceField(choices=SwitchState.choices)
    until = UtcDateTimeField(allow_null=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> Switch:
        # Within a partial update nested fields are not required either.
        if "state" not in attrs:
            raise serializers.ValidationError({"state": _("Say auto, on or off.")}, code="required")
        switch = Switch(SwitchState(attrs["state"]), attrs.get("until"))
        if switch.until is not None and (switch.state == SwitchState.AUTO or switch.until <= now()):
            raise serializers.ValidationError({"until": _("Give a time that is still to come, for on or off.")})
        return switch


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
    measured_memory_mb = serializers.IntegerField(allow_null=True)
    priority = serializers.IntegerField()
    pinned = serializers.BooleanField()
    activation_policy = serializers.ChoiceField(choices=Policy.choices)
    window = serializers.CharField(source="window.name", default=None, allow_null=True)
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

    @extend_schema_field(SwitchSerializer)
    def get_switch(self, model: RegisteredModel) -> Any:
        at = now()
        holds = model.switch.says_on(at) or model.switch.says_off(at)
        shown = {"state": model.switch_state, "until": model.switch_until}
        return presented(SwitchSerializer, shown if holds else {"state": SwitchState.AUTO, "until": None})

    @extend_schema_field(StatusDetailSerializer)
    def get_status_detail(self, model: RegisteredModel) -> Any:
        code = ErrorCode(model.error_code)
        message = model.error_message or str(code.label)
        since = model.error_since if model.error_code else model.status_since
        return presented(StatusDetailSerializer, {"code": str(code), "message": message, "since": since})

    @extend_schema_field(WaitingSerializer(allow_null=True))
    def get_waiting(self, model: RegisteredModel) -> Any:
        return model.waiting

    @extend_schema_field(ObservedSerializer)
    def get_observed(self, model: RegisteredModel) -> Any:
        shown = {"state": model.observed, "reason": model.observed_reason, "at": model.observed_at}
        return presented(ObservedSerializer, shown)

    @extend_schema_field(ConfigSerializer)
    def get_config(self, model: RegisteredModel) -> Any:
        return {"number": model.config.number, "values": model.config.values} if model.config else None


class ProviderByName(TextField):
    """A living provider, by its name."""

    def to_internal_value(self, data: Any) -> Provider:  # type: ignore[override]
        provider = Provider.objects.filter(name=super().to_internal_value(data)).first()
        if provider is None:
            raise serializers.ValidationError(_("There is no such provider."), code="does_not_exist")
        return provider


class WindowByName(serializers.CharField):
    """A living window, by its name."""

    def to_internal_value(self, data: Any) -> Window:  # type: ignore[override]
        window = Window.objects.filter(live_name=super().to_internal_value(data)).first()
        if window is None:
            raise serializers.ValidationError(_("There is no such window."), code="does_not_exist")
        return window


class ModelEditSerializer(StrictSerializer):
    """What can be changed about a model; what is only told may be sent back unchanged."""

    ignored = tuple(ModelSerializer().fields)

    display_name = TextField(max_length=200, allow_blank=True, required=False)
    description = TextField(max_length=4000, allow_blank=True, required=False)
    kind = serializers.ChoiceField(choices=ModelKind.choices, required=False)
    provider = ProviderByName()
    remote_name = TextField(max_length=200)
    remote_version = TextField(max_length=40, allow_blank=True, required=False)
    gpu_memory_mb = WholeNumberField(min_value=1, max_value=2**31 - 1, allow_null=True, required=False)
    priority = WholeNumberField(min_value=-1000, max_value=1000, required=False)
    pinned = TruthField(required=False)
    activation_policy = serializers.ChoiceField(choices=Policy.choices, required=False)
    window = WindowByName(allow_null=True, required=False)
    idle_ttl_s = WholeNumberField(min_value=0, max_value=7 * 86400, required=False)
    switch = SwitchSerializer(required=False)
    input_price = PriceField(allow_null=True, required=False)
    output_price = PriceField(allow_null=True, required=False)
    tags = serializers.ListField(child=TextField(max_length=50), max_length=50, required=False)


class ModelCreateSerializer(ModelEditSerializer):
    name = NameField()
    verify = TruthField(required=False, write_only=True)


class ActivateSerializer(StrictSerializer):
    until = UtcDateTimeField(allow_null=True, required=False)


class DeactivateSerializer(ActivateSerializer):
    force = TruthField(required=False, default=False)


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
