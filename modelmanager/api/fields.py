"""Serializer pieces that every resource uses: JSON types are taken as they are, not guessed from others."""

import functools
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from modelmanager.lib.slugs import is_name


class UtcDateTimeField(serializers.DateTimeField):
    """ISO 8601 with an offset in, UTC out; a time without an offset is refused: nobody knows when it is."""

    default_error_messages = {"no_offset": gettext_lazy("Give the time with its offset, such as Z or +09:00.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)

    def to_internal_value(self, value: Any) -> datetime:
        try:
            return super().to_internal_value(value)
        except OverflowError:
            self.fail("overflow")

    def enforce_timezone(self, value: datetime) -> datetime:
        if timezone.is_naive(value):
            self.fail("no_offset")
        return super().enforce_timezone(value)


class TextField(serializers.CharField):
    """A JSON string, without blanks around it."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class NameField(TextField):
    """One of our names, exactly as it is to be."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)
        self.validators.append(is_name)


@extend_schema_field({"type": "object", "additionalProperties": True})
class ObjectField(serializers.Field[Any, Any, Any, Any]):
    """A JSON object, whatever it holds."""

    default_error_messages = {"not_a_dict": gettext_lazy("Give a JSON object.")}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            self.fail("not_a_dict")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class WholeNumberField(serializers.IntegerField):
    """A JSON number without a fraction."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not (isinstance(data, int) or (isinstance(data, float) and data.is_integer())):
            self.fail("invalid")
        return super().to_internal_value(int(data))


class NumberField(serializers.FloatField):
    """A JSON number."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(data)


class TruthField(serializers.BooleanField):
    """JSON true or false."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


@extend_schema_field({"oneOf": [{"type": "number"}, {"type": "string", "format": "decimal"}]})
class PriceField(serializers.DecimalField):
    """A price, 0 or more, with up to six decimals: a JSON number, or the same in text, which keeps it exact."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=12, decimal_places=6, min_value=0, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, bool) or not isinstance(data, int | float | str):
            self.fail("invalid")
        return super().to_internal_value(data)


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


class NothingSerializer(StrictSerializer):
    """The body of a call that takes none: left out, or an empty object."""


def validated(
    serializer_class: type[serializers.Serializer[Any]], data: Any, *, partial: bool = False
) -> dict[str, Any]:
    """What the serializer makes of `data`. Raises ValidationError."""
    return dict(_kept(serializer_class, partial=partial).run_validation(data))


def presented(serializer_class: type[serializers.Serializer[Any]], value: Any) -> dict[str, Any]:
    """What the serializer shows of a row or value."""
    return dict(_kept(serializer_class, partial=False).to_representation(value))


@functools.cache
def _kept(serializer_class: type[serializers.Serializer[Any]], *, partial: bool) -> serializers.Serializer[Any]:
    # A new serializer copies all its fields, which takes longer than using them; and use changes none.
    return serializer_class(partial=partial)
