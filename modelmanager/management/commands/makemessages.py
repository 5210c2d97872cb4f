"""`manage.py makemessages`, for catalogues that many hands change."""

from django.core.management.commands import makemessages


class Command(makemessages.Command):
    """Sorted by text, so that moving code changes nothing; what is new stays empty instead of guessed."""

    msgmerge_options = [*makemessages.Command.msgmerge_options, "--sort-output", "--no-fuzzy-matching"]
