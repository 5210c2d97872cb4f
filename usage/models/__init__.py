"""Tables of use: clients with their keys, bindings and leases; usage records and what is summed of them."""

from usage.models.clients import Binding, Client, ClientKey, CloseReason, Lease, Scope
from usage.models.ledger import Ledger, RollupCheck
from usage.models.record import Outcome, UsageRecord
from usage.models.rollups import Rollup, UsageDay, UsageHour
from usage.models.served import ServedCount, ServedHour

__all__ = [
    "Binding",
    "Client",
    "ClientKey",
    "CloseReason",
    "Lease",
    "Ledger",
    "Outcome",
    "Rollup",
    "RollupCheck",
    "Scope",
    "ServedCount",
    "ServedHour",
    "UsageDay",
    "UsageHour",
    "UsageRecord",
]
