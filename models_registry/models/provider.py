"""Providers: places that serve models."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from modelmanager.lib.encrypted_field import EncryptedTextField, Unreadable
from modelmanager.lib.named import Named
from modelmanager.lib.soft_delete import while_live
from models_registry.vocabulary import ProviderKind


class Provider(Named):
    """One Triton server (one GPU host), OpenAI, Azure OpenAI, or an OpenAI-compatible endpoint."""

    kind = models.CharField(_("kind"), max_length=20, choices=ProviderKind)
    base_url = models.CharField(_("base URL"), max_length=255)
    client_url = models.CharField(
        _("client URL"), max_length=255, blank=True, help_text=_("What clients are told to use, when it differs.")
    )
    metrics_url = models.CharField(_("metrics URL"), max_length=255, blank=True)
    api_version = models.CharField(_("API version"), max_length=40, blank=True)
    organization = models.CharField(
        _("organization"), max_length=100, blank=True, help_text=_("Sent to OpenAI as OpenAI-Organization.")
    )
    project = models.CharField(
        _("project"), max_length=100, blank=True, help_text=_("Sent to OpenAI as OpenAI-Project.")
    )
    api_key = EncryptedTextField(_("API key"), blank=True, default="")
    api_key_2 = EncryptedTextField(
        _("second API key"),
        blank=True,
        default="",
        help_text=_("Used while the provider refuses the first, so that keys can be exchanged with no gap."),
    )
    timeout_s = models.PositiveSmallIntegerField(
        _("time-out (s)"),
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(120)],
        help_text=_("How long one question to the provider may take."),
    )
    proxy_url = models.CharField(
        _("proxy URL"), max_length=255, blank=True, help_text=_("Empty: the provider is called directly.")
    )
    ca_certificates = models.TextField(
        _("private CA certificates"),
        blank=True,
        default="",
        help_text=_("PEM; trusted for this provider beside those of the operating system."),
    )
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
    checked_at = models.DateTimeField(_("checked at"), null=True, editable=False)
    health_error = models.CharField(_("health"), max_length=500, blank=True, editable=False)
    consecutive_failures = models.PositiveIntegerField(default=0, editable=False)
    # What the checks of API providers remember; `health_code` is an outcome of models_registry.providers.errors.
    health_code = models.CharField(max_length=32, blank=True, editable=False)
    consecutive_successes = models.PositiveIntegerField(default=0, editable=False)
    failing = models.BooleanField(default=False, editable=False)  # believed, after several failed checks
    passed_at = models.DateTimeField(null=True, editable=False)  # the last free check that passed
    health_since = models.DateTimeField(null=True, editable=False)  # when that last changed; null: never known
    flaps = models.PositiveIntegerField(default=0, editable=False)  # checks failed right after a passed one
    key_in_use = models.PositiveSmallIntegerField(default=0, editable=False)  # 1 or 2; 0: not known, or none needed
    check_after = models.DateTimeField(null=True, editable=False)  # what a provider that limits us asked to wait for
    # Memory that an unload should have freed and did not: no load until so little is in use, or a person says so.
    memory_awaited_mb = models.PositiveIntegerField(null=True, editable=False)
    memory_held_since = models.DateTimeField(null=True, editable=False)
    wake_at = models.DateTimeField(null=True, editable=False)  # not indexed: an UPDATE by id must not go by it

    live_url = models.GeneratedField(
        expression=while_live("server_key", kind="triton"),
        output_field=models.CharField(max_length=255),
        db_persist=True,
    )

    class Meta(Named.Meta):
        verbose_name = _("provider")
        verbose_name_plural = _("providers")
        permissions = [("reveal_provider_credentials", _("Can see the keys of providers"))]
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

    @property
    def is_triton(self) -> bool:
        return self.kind == ProviderKind.TRITON

    def key_hint(self, field: str) -> str:
        """The last four characters of the key in `field`, or empty."""
        key = getattr(self, field)
        return f"…{key[-4:]}" if len(key) >= 12 else ("…" if key else "")

    @property
    def api_key_hint(self) -> str:
        """The last four characters of the key, or empty."""
        return self.key_hint("api_key")

    @property
    def api_key_2_hint(self) -> str:
        """The last four characters of the second key, or empty."""
        return self.key_hint("api_key_2")

    @property
    def keys_are_unreadable(self) -> bool:
        """Whether there are keys, and none of the installation's keys opens any of them."""
        keys = (self.api_key, self.api_key_2)
        return not any(keys) and any(isinstance(key, Unreadable) for key in keys)

    @property
    def health_told(self) -> str:
        """Why it is not healthy, in words; empty when nothing is known against it."""
        return _enter_the_key_again() if self.keys_are_unreadable else self.health_error

    @property
    def health_state(self) -> str:
        """`ok`, `failing` or `unknown`, from the last checks; whatever they said, failing with keys nobody can read.

        A Triton server that missed one question is failing; an API provider, when several checks in a row said so.
        """
        if self.keys_are_unreadable:
            return "failing"
        if self.checked_at is None:
            return "unknown"
        if self.is_triton:
            return "failing" if self.consecutive_failures else "ok"
        if self.health_since is None:
            return "unknown"
        return "failing" if self.failing else "ok"


def _enter_the_key_again() -> str:
    return gettext("The stored API key cannot be read with this installation's keys: enter the key again.")
