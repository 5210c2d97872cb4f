"""Refusals of leases and bindings."""

from modelmanager.lib.refusals import NotFound, Refusal


class ModelNotFound(NotFound):
    """No living model of that name."""

    code = "model_not_found"


class ModelInactive(Refusal):
    """The model is not wanted now; `next_opening` tells when its window opens."""

    code = "model_inactive"


class ModelError(Refusal):
    """The model has an error that waiting does not mend; `cause` is its code."""

    code = "model_error"


class ModelActivating(Refusal):
    """The model is on its way; `queue_position` and `expected_wait_s` tell more."""

    code = "model_activating"
    status = 503


class GpuBusy(ModelActivating):
    """The model waits for room; `held_by` names the models that hold the GPU."""

    code = "gpu_busy"


class TooManyWaiters(Refusal):
    """This web process holds as many waiting requests as it may."""

    code = "too_many_waiters"
    status = 503


class LeaseClosed(Refusal):
    """The lease was released, expired or revoked; ask for a new one."""

    code = "lease_closed"


class DaysUnknown(Refusal):
    """Daily sums cannot be made in the installation's time zone, since their records are pruned."""

    code = "days_unknown"


class NoPartitions(Refusal):
    """The database does not know partitions."""

    code = "no_partitions"
