"""Models: what is wanted of them, and what was observed."""

import json

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connections, models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Cast, Collate, StrIndex
from django.utils.translation import gettext_lazy as _

from modelmanager.lib.named import Named
from modelmanager.lib.soft_delete import LiveManager, while_live
from models_registry.judge import Belief
from models_registry.models.provider import Provider
from models_registry.models.window import Window
from models_registry.vocabulary import ErrorCode, ModelKind, Observed, Policy, Status, SwitchState
from models_registry.wanted import Switch

STATUS = Case(
    When(~Q(error_code=""), then=Value(int(Status.ERROR))),
    When(open_leases__gt=0, then=Value(int(Status.IN_USE))),
    When(observed="ready", wanted=True, recovered_at__isnull=False, then=Value(int(Status.RECOVERED))),
    When(observed="ready", wanted=True, then=Value(int(Status.ACTIVE))),
    When(wanted=True, then=Value(int(Status.ACTIVATING))),
    default=Value(int(Status.REGISTERED)),
)


class ModelQuerySet(models.QuerySet["RegisteredModel"]):
    """The vocabulary of model queries."""

    def tagged(self, tag: str) -> "ModelQuerySet":
        """Models with this very tag, found in the JSON text: escaped (SQLite, MariaDB) or not (MySQL).

        By its position and bytes: SQLite's LIKE takes `RAG` for `rag`, and so does MariaDB's own comparison.
        """
        bytewise = "BINARY" if connections[self.db].vendor == "sqlite" else "utf8mb4_bin"
        text = Collate(Cast("tags", models.TextField()), bytewise)
        escaped, plain = (StrIndex(text, Value(json.dumps(tag, ensure_ascii=ascii))) for ascii in (True, False))
        return self.alias(escaped=escaped, plain=plain).filter(Q(escaped__gt=0) | Q(plain__gt=0))


class RegisteredModel(Named):
    """A model that a provider serves, under our own unique, immutable name.

    Stores facts: what is wanted, what was observed, and an error; `status` is generated from them.
    `revision` counts changes of facts, `edition` counts edits by people.
    """

    display_name = models.CharField(_("display name"), max_length=200, blank=True)
    description = models.TextField(_("description"), blank=True, max_length=4000)
    kind = models.CharField(_("kind"), max_length=20, choices=ModelKind, default=ModelKind.OTHER)
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="models", verbose_name=_("provider"))
    remote_name = models.CharField(_("name at the provider"), max_length=200)
    remote_version = models.CharField(
        _("version at the provider"), max_length=40, blank=True, help_text=_("Empty: the provider's choice.")
    )
    gpu_memory_mb = models.PositiveIntegerField(_("GPU memory (MB)"), null=True, blank=True)
    measured_memory_mb = models.PositiveIntegerField(_("measured GPU memory (MB)"), null=True, editable=False)
    priority = models.SmallIntegerField(
        _("priority"),
        default=0,
        validators=[MinValueValidator(-1000), MaxValueValidator(1000)],
        help_text=_("Higher goes first."),
    )
    pinned = models.BooleanField(_("pinned"), default=False, help_text=_("Never gives way to another model."))
    activation_policy = models.CharField(_("activation"), max_length=20, choices=Policy, default=Policy.MANUAL)
    window = models.ForeignKey(
        Window, models.PROTECT, null=True, blank=True, related_name="models", verbose_name=_("window")
    )
    idle_ttl_s = models.PositiveIntegerField(_("idle time (s)"), default=300, validators=[MaxValueValidator(7 * 86400)])
    switch_state = models.CharField(_("switch"), max_length=10, choices=SwitchState, default=SwitchState.AUTO)
    switch_until = models.DateTimeField(_("switch until"), null=True, blank=True)
    input_price = models.DecimalField(
        _("input price per 1M tokens"), max_digits=12, decimal_places=6, null=True, blank=True
    )
    output_price = models.DecimalField(
        _("output price per 1M tokens"), max_digits=12, decimal_places=6, null=True, blank=True
    )
    tags = models.JSONField(_("tags"), default=list, blank=True)
    config = models.ForeignKey("ConfigVersion", models.PROTECT, null=True, related_name="+", editable=False)
    loaded_config = models.ForeignKey("ConfigVersion", models.PROTECT, null=True, related_name="+", editable=False)

    all_objects = models.Manager.from_queryset(ModelQuerySet)()
    objects = LiveManager.from_queryset(ModelQuerySet)()  # type: ignore[misc]

    # What is wanted, and until when somebody waits for it.
    wanted = models.BooleanField(_("wanted"), default=False, editable=False)
    demand_until = models.DateTimeField(null=True, editable=False)
    queued_at = models.DateTimeField(_("waiting since"), null=True, editable=False)
    waiting = models.JSONField(_("waiting"), null=True, editable=False)
    drain_until = models.DateTimeField(_("draining until"), null=True, editable=False)
    # What was observed, and what is wrong.
    observed = models.CharField(
        _("observed"), max_length=12, choices=Observed, default=Observed.UNKNOWN, editable=False
    )
    observed_reason = models.CharField(max_length=500, blank=True, editable=False)
    observed_at = models.DateTimeField(_("observed at"), null=True, editable=False)
    error_code = models.CharField(_("error"), max_length=32, choices=ErrorCode, default="", blank=True, editable=False)
    error_message = models.CharField(_("error message"), max_length=500, blank=True, editable=False)
    error_since = models.DateTimeField(null=True, editable=False)
    recovered_at = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    retry_at = models.DateTimeField(null=True, editable=False)
    usual_load_s = models.FloatField(_("usual load time (s)"), null=True, editable=False)
    # Counters that equal the rows they count.
    open_leases = models.PositiveIntegerField(_("open leases"), default=0, editable=False)
    bindings = models.PositiveIntegerField(_("bindings"), default=0, editable=False)
    last_used_at = models.DateTimeField(_("last used at"), null=True, editable=False)

    status_since = models.DateTimeField(null=True, editable=False)
    revision = models.PositiveIntegerField(default=0, editable=False)
    # True for Triton: one object on one GPU, registered once.
    on_gpu = models.BooleanField(default=False, editable=False)

    status = models.GeneratedField(expression=STATUS, output_field=models.PositiveSmallIntegerField(), db_persist=True)
    live_remote = models.GeneratedField(
        expression=while_live("remote_name", on_gpu=True),
        output_field=models.CharField(max_length=200),
        db_persist=True,
    )

    class Meta(Named.Meta):
        verbose_name = _("model")
        verbose_name_plural = _("models")
        permissions = [("switch_registeredmodel", _("Can activate and deactivate models"))]
        constraints = [
            models.UniqueConstraint(
                fields=["live_name"],
                name="model_live_name",
                violation_error_message=_("A model of this name exists already."),
            ),
            models.UniqueConstraint(
                fields=["provider", "live_remote"],
                name="model_live_remote",
                violation_error_message=_("This model of the provider is registered already."),
            ),
        ]
        # None begins with a column that a conditional UPDATE by id names: MariaDB would go by that index,
        # and miss the row which another transaction is just moving within it.
        indexes = [
            models.Index(fields=["status", "id", "deleted_at"], name="model_by_status"),
            models.Index(fields=["created_at", "id", "deleted_at"], name="model_by_created"),
            models.Index(fields=["last_used_at", "id", "deleted_at"], name="model_by_last_used"),
        ]

    @property
    def size_mb(self) -> int | None:
        """GPU memory it takes: what was declared or what was measured, whichever is more; None when unknown."""
        return max((mb for mb in (self.gpu_memory_mb, self.measured_memory_mb) if mb is not None), default=None)

    @property
    def needs_reload(self) -> bool:
        """Whether it is loaded with load settings other than those of its current version.

        A version that is loaded in the same way counts as loaded as soon as it is made current.
        """
        return self.observed == Observed.READY and self.loaded_config_id not in (None, self.config_id)

    @property
    def belief(self) -> Belief:
        """What an answer of its provider is judged against."""
        return Belief(self.wanted, Observed(self.observed), self.error_code)

    @property
    def switch(self) -> Switch:
        return Switch(SwitchState(self.switch_state), self.switch_until)

    @property
    def status_word(self) -> str:
        """The API's word for the status, as last read from the database."""
        return Status(self.status).word
