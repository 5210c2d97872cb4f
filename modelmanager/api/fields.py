"""Serializer pieces that every resource uses."""

from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers


class UtcDateTimeField(serializers.DateTimeField):
    """ISO 8601 with an offset in, UTC out."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)

    def to_internal_value(self, value: Any) -> datetime:
        try:
            return super().to_internal_value(value)
        except OverflowError:
            self.fail("overflow")


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses members that it does not know; those it only tells (`ignored`) may be sent back."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            known = set(self.fields) | set(getattr(self, "ignored", ()))
            unknown = {
                str(name): serializers.ErrorDetail(_("There is no such field."), code="unknown_field")
                for name in data
                if name not in known
            }
            if unknown:
                raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)


def validated(serializer_class: type[serializers.Serializer[Any]], data: Any, **kwargs: Any) -> dict[str, Any]:
    """What the serializer makes of `data`. Raises ValidationError."""
    serializer = serializer_class(data=data, **kwargs)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
