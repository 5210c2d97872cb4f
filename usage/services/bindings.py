"""Bindings: "client X is set up to use model Y"."""

from django.db.models import F
from django.utils.translation import gettext as _

from modelmanager.lib.refusals import Invalid
from modelmanager.lib.retry import retrying_transaction
from models_registry.models import RegisteredModel
from models_registry.validation import refuse_invalid
from usage.models import Binding, Client
from usage.refusals import ModelNotFound


@retrying_transaction
def bind(model_name: str, *, client_id: int, reference: str, note: str = "") -> tuple[Binding, bool]:
    """`(binding, whether it is new)`; the same client, model and reference are bound once.

    Raises ModelNotFound or Invalid.
    """
    # Model first: deletion and binding are conditional updates of one row, so the second sees the first.
    rows = RegisteredModel.objects.filter(live_name=model_name)
    if not rows.update(bindings=F("bindings") + 1):
        raise ModelNotFound(_("There is no model called “%(name)s”.") % {"name": model_name[:100]})
    model = rows.select_related("provider").get()
    present = Binding.objects.filter(client_id=client_id, model=model, reference=reference).first()
    if present is not None:
        RegisteredModel.objects.filter(pk=model.pk).update(bindings=F("bindings") - 1)
        return present, False
    binding = Binding(client_id=client_id, model=model, reference=reference, note=note)
    refuse_invalid(binding)
    binding.save(force_insert=True)
    # Looked at last: the insert holds its client, so a deletion that comes second sees the binding.
    if not Client.objects.filter(pk=client_id).exists():
        raise Invalid.of("client", _("This client is deleted."))
    return binding, True


@retrying_transaction
def unbind(binding: Binding) -> None:
    """Remove a binding; doing so twice is the same as once."""
    rows = RegisteredModel.all_objects.filter(pk=binding.model_id)
    counted = rows.filter(bindings__gt=0).update(bindings=F("bindings") - 1)
    if counted and not Binding.objects.filter(pk=binding.pk).delete()[0]:
        rows.update(bindings=F("bindings") + 1)
