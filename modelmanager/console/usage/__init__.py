"""What was used: the calls that clients reported, and what is summed of them."""

from modelmanager.console.usage import records

__all__ = ["records"]
