"""Where Django looks for admin pages: all of them are in `console`."""

from modelmanager.console import (
    audit,
    bindings,
    clients,
    jobs,
    leases,
    models,
    people,
    providers,
    record,
    usage,
    windows,
)

__all__ = [
    "audit",
    "bindings",
    "clients",
    "jobs",
    "leases",
    "models",
    "people",
    "providers",
    "record",
    "usage",
    "windows",
]
