"""Providers: places that serve models."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from modelmanager.lib.encrypted_field import EncryptedTextField
from modelmanager.lib.slugs import NameField
from modelmanager.lib.soft_delete import SoftDeleted, while_live
from models_registry.vocabulary import ProviderKind


class Provider(SoftDeleted):
    """One Triton server (one GPU host), OpenAI, Azure OpenAI, or an OpenAI-compatible endpoint."""

    name = NameField(_("name"))
    kind = models.CharField(_("kind"), max_length=20, choices=ProviderKind)
    base_url = models.CharField(_("base URL"), max_length=255)
    client_url = models.CharField(
        _("client URL"), max_length=255, blank=True, help_text=_("What clients are told to use, when it differs.")
    )
    metrics_url = models.CharField(_("metrics URL"), max_length=255, blank=True)
    api_version = models.CharField(_("API version"), max_length=40, blank=True)
    api_key = EncryptedTextField(_("API key"), blank=True, default="")
    allow_private_network = models.BooleanField(_("may be on a private network"), default=False)
    gpu_memory_mb = models.PositiveIntegerField(
        _("GPU memory (MB)"), null=True, blank=True, help_text=_("Empty: unknown; models are then counted only.")
    )
    max_loaded_models = models.PositiveIntegerField(
        _("models at a time"),
        null=True,
        blank=True,
        default=1,
        validators=[MinValueValidator(1)],
        help_text=_("Empty: as many as the memory holds."),
    )
    drain_s = models.PositiveIntegerField(
        _("drain time (s)"),
        default=60,
        validators=[MaxValueValidator(86400)],
        help_text=_("How long open leases may go on once a model is switched off."),
    )
    enabled = models.BooleanField(_("enabled"), default=True)

    # `server_key` is the address in one spelling, so that one GPU never has two hands on it.
    server_key = models.CharField(max_length=255, editable=False)
    edition = models.PositiveIntegerField(default=1, editable=False)
    checked_at = models.DateTimeField(_("checked at"), null=True, editable=False)
    health_error = models.CharField(_("health"), max_length=500, blank=True, editable=False)
    consecutive_failures = models.PositiveIntegerField(default=0, editable=False)
    wake_at = models.DateTimeField(null=True, editable=False, db_index=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    live_name = models.GeneratedField(
        expression=while_live("name"), output_field=models.CharField(max_length=100), db_persist=True
    )
    live_url = models.GeneratedField(
        expression=while_live("server_key", kind="triton"),
        output_field=models.CharField(max_length=255),
        db_persist=True,
    )

    class Meta(SoftDeleted.Meta):
        verbose_name = _("provider")
        verbose_name_plural = _("providers")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["live_name"],
                name="provider_live_name",
                violation_error_message=_("A provider of this name exists already."),
            ),
            models.UniqueConstraint(
                fields=["live_url"],
                name="provider_live_url",
                violation_error_message=_("A provider for this Triton server exists already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_triton(self) -> bool:
        return self.kind == ProviderKind.TRITON

    @property
    def api_key_hint(self) -> str:
        """The last four characters of the key, or empty."""
        return f"…{self.api_key[-4:]}" if len(self.api_key) >= 12 else ("…" if self.api_key else "")

    @property
    def health_state(self) -> str:
        """`ok`, `failing` or `unknown`, from the last checks."""
        if self.checked_at is None:
            return "unknown"
        return "failing" if self.consecutive_failures else "ok"
