"""Lease models from a Model Manager and report their use, without losing a record."""

from model_manager_client.clock import Clock
from model_manager_client.errors import (
    GpuBusy,
    Invalid,
    LeaseLost,
    ModelActivating,
    ModelError,
    ModelInactive,
    ModelManagerError,
    ModelNotFound,
    NoAnswer,
    NotAuthenticated,
    PermissionDenied,
    ProviderUnreachable,
    Refused,
    Throttled,
    TooManyWaiters,
)
from model_manager_client.lease import Call, LeasedModel
from model_manager_client.manager import ModelManager
from model_manager_client.outbox import Counts

__all__ = [
    "Call",
    "Clock",
    "Counts",
    "GpuBusy",
    "Invalid",
    "LeaseLost",
    "LeasedModel",
    "ModelActivating",
    "ModelError",
    "ModelInactive",
    "ModelManager",
    "ModelManagerError",
    "ModelNotFound",
    "NoAnswer",
    "NotAuthenticated",
    "PermissionDenied",
    "ProviderUnreachable",
    "Refused",
    "Throttled",
    "TooManyWaiters",
]
