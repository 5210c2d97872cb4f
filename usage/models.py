"""Clients and their keys, bindings and leases."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from modelmanager.lib.slugs import NameField
from modelmanager.lib.soft_delete import SoftDeleted, while_live
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


class Client(SoftDeleted):
    """A downstream system with its own keys: chatbot, knowledge base, dictionary …"""

    name = NameField(_("name"))
    description = models.TextField(_("description"), blank=True, max_length=4000)
    edition = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    live_name = models.GeneratedField(
        expression=while_live("name"), output_field=models.CharField(max_length=100), db_persist=True
    )

    class Meta(SoftDeleted.Meta):
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["live_name"],
                name="client_live_name",
                violation_error_message=_("A client of this name exists already."),
            )
        ]

    def __str__(self) -> str:
        return self.name


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
    reference = models.CharField(_("reference"), max_length=200)
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
    closed_at = models.DateTimeField(_("closed at"), null=True)
    close_reason = models.CharField(_("closed because"), max_length=10, choices=CloseReason, blank=True)

    class Meta:
        verbose_name = _("lease")
        verbose_name_plural = _("leases")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["closed_at", "expires_at"], name="lease_due"),
            models.Index(fields=["model", "closed_at"], name="lease_open_by_model"),
            models.Index(fields=["client", "-id"], name="lease_by_client"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
