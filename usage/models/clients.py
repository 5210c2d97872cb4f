"""Clients and their keys, bindings and leases."""

from django.db import models
from django.db.models import Case, F, When
from django.utils.translation import gettext_lazy as _

from modelmanager.lib.exact_text import ExactTextField
from modelmanager.lib.named import Named
from models_registry.models import ConfigVersion, RegisteredModel


class Scope(models.TextChoices):
    """What a key may do; `manage` includes `read` and `use`."""

    READ = "read", _("Read")
    USE = "use", _("Use models")
    MANAGE = "manage", _("Manage")
    SECRETS = "secrets", _("Provider keys in leases")


class CloseReason(models.TextChoices):
    RELEASED = "released", _("Released")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")


class Client(Named):
    """A downstream system with its own keys: chatbot, knowledge base, dictionary …"""

    description = models.TextField(_("description"), blank=True, max_length=4000)

    class Meta(Named.Meta):
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        constraints = [
            models.UniqueConstraint(
                fields=["live_name"],
                name="client_live_name",
                violation_error_message=_("A client of this name exists already."),
            )
        ]


class ClientKey(models.Model):
    """A bearer key of a client; only its SHA-256 is stored."""

    client = models.ForeignKey(Client, models.PROTECT, related_name="keys", verbose_name=_("client"))
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(_("key"), max_length=16, editable=False)
    scopes = models.JSONField(_("scopes"), default=list)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used at"), null=True, editable=False)

    class Meta:
        verbose_name = _("client key")
        verbose_name_plural = _("client keys")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.hint


class Binding(models.Model):
    """ "Client X is set up to use model Y": blocks deletion, does not keep the GPU."""

    client = models.ForeignKey(Client, models.PROTECT, related_name="bindings", verbose_name=_("client"))
    model = models.ForeignKey(RegisteredModel, models.PROTECT, related_name="binding_rows", verbose_name=_("model"))
    reference = ExactTextField(_("reference"), max_length=200)
    note = models.CharField(_("note"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("binding")
        verbose_name_plural = _("bindings")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["client", "model", "reference"], name="binding_once")]

    def __str__(self) -> str:
        return self.reference


class Lease(models.Model):
    """ "Client X is using model Y now": keeps the model loaded until closed or expired."""

    model = models.ForeignKey(RegisteredModel, models.PROTECT, related_name="leases", verbose_name=_("model"))
    client = models.ForeignKey(Client, models.PROTECT, related_name="leases", verbose_name=_("client"))
    config = models.ForeignKey(ConfigVersion, models.PROTECT, related_name="+", verbose_name=_("configuration"))
    instance = models.CharField(_("instance"), max_length=200, blank=True)
    ttl_s = models.PositiveIntegerField(_("renewal period (s)"))
    granted_at = models.DateTimeField(_("granted at"))
    expires_at = models.DateTimeField(_("expires at"))
    verified_at = models.DateTimeField(_("verified at"))
    verify_ms = models.FloatField(_("verification took (ms)"))
    # The provider's key that was handed out when it was granted, by its last characters; empty: none was.
    key_hint = models.CharField(_("key handed out"), max_length=8, blank=True, editable=False)
    closed_at = models.DateTimeField(_("closed at"), null=True)
    close_reason = models.CharField(_("closed because"), max_length=10, choices=CloseReason, blank=True)
    # When an open lease ends by itself. Looked up by this, and not by `closed_at`, which conditional UPDATEs name.
    open_until = models.GeneratedField(
        expression=Case(When(closed_at__isnull=True, then=F("expires_at")), default=None),
        output_field=models.DateTimeField(),
        db_persist=True,
    )

    class Meta:
        verbose_name = _("lease")
        verbose_name_plural = _("leases")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["open_until"], name="lease_due"),
            models.Index(fields=["model", "closed_at"], name="lease_open_by_model"),
            models.Index(fields=["client", "-id"], name="lease_by_client"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
