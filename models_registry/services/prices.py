"""The history of prices. Nobody writes a model's prices without it."""

from collections.abc import Iterable
from datetime import datetime

from models_registry.models import ModelPrice, RegisteredModel

PRICES = ("input_price", "output_price")


def keep_prices(model: RegisteredModel, *, since: datetime) -> None:
    """Note the model's prices as they are from `since` on, if they are others than before.

    Runs in the transaction that writes them to the model, after that: it holds the row, so nobody comes between.
    """
    price = _price(model, since)
    last = ModelPrice.objects.filter(model=model).order_by("-since", "-id").values_list(*PRICES).first()
    if last != (price.input_price, price.output_price):
        price.save(force_insert=True)


def keep_first_prices(models: Iterable[RegisteredModel]) -> None:
    """The same for models that were stored just now, by one statement."""
    ModelPrice.objects.bulk_create([_price(model, model.created_at) for model in models])


def _price(model: RegisteredModel, since: datetime) -> ModelPrice:
    return ModelPrice(model=model, since=since, input_price=model.input_price, output_price=model.output_price)
