"""What the options of management commands may hold."""

from argparse import ArgumentTypeError


def text(argument: str) -> str:
    """Text that a database can store; for `type=` of an option.

    Bytes that the terminal's encoding does not know arrive as half characters. Raises ArgumentTypeError.
    """
    if any("\ud800" <= character <= "\udfff" for character in argument):
        raise ArgumentTypeError("not text in the terminal's encoding")
    return argument
