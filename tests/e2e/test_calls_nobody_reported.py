"""Calls that reach Triton without being reported are seen by its own counters."""

import random

import pytest
from model_manager_client import ModelManager

from modelmanager.embedded.traffic.inference import infer
from tests.e2e.caller import Caller
from tests.e2e.product import RunningProduct

pytestmark = [pytest.mark.triton, pytest.mark.embedded_only, pytest.mark.slow]

MODEL = "dict-preprocess"
LOOK = f"""
from datetime import timedelta
from django.db.models import Sum
from modelmanager.lib.clock import now
from models_registry.models import Provider, RegisteredModel
from monitoring import served
from usage.models import UsageHour
from usage.rules.served import unattributed
from usage.services.served import calls_seen
for provider in Provider.objects.all():
    served.read(provider.pk)
model = RegisteredModel.objects.get(name="{MODEL}").pk
start, end = now() - timedelta(hours=2), now() + timedelta(hours=1)
reported = UsageHour.objects.filter(hour__gte=start, model=model).aggregate(calls=Sum("calls"))["calls"] or 0
print("told", calls_seen(start, end)[model], unattributed(calls_seen(start, end), {{model: reported}}))
"""


def test_calls_beyond_the_reported_ones_are_told(running_product: RunningProduct) -> None:
    api = Caller(running_product.url, running_product.client_key)
    api.wait_for(MODEL, "active")
    with (
        ModelManager(running_product.url, running_product.client_key) as manager,
        manager.lease(MODEL, wait_s=30, patience_s=60) as model,
    ):
        to = model.connection
        for number in range(7):
            infer(to["url"], to["model_name"], chance=random.Random(number))
            if number < 4:
                model.report(latency_ms=1)

    told = running_product.manage("shell", "-c", LOOK).stdout.splitlines()[-1]
    pk = told.partition("{")[2].partition(":")[0]
    assert told == f"told 7 {{{pk}: 3}}"

    api.deactivate(MODEL, force=True)
    api.wait_for(MODEL, "registered")
    told = running_product.manage("shell", "-c", LOOK).stdout.splitlines()[-1]
    assert told == f"told 7 {{{pk}: 3}}"  # the counters are gone with the model, and what they told is not
