"""Names: lower-case slugs that never change, the same on every database."""

from django.core.validators import MaxLengthValidator, MinLengthValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

NAME_PATTERN = r"^[a-z0-9._-]{2,100}\Z"
is_name = RegexValidator(NAME_PATTERN, _("Use 2 to 100 of a–z, 0–9, dot, underscore and hyphen."), code="invalid_name")


class NameField(models.CharField):
    """A lower-case slug of 2 to 100 characters; `m` and `M` would collide on MariaDB but not on SQLite."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("max_length", 100)
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.validators = [MinLengthValidator(2), MaxLengthValidator(100), is_name]
