"""Commands speak English, whatever the installation speaks: logs and scripts read them."""

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation


def test_a_refusal_is_told_in_english(db):
    with translation.override("ko"), pytest.raises(CommandError) as told:
        call_command("create_client", "chatbot", scopes="everything")
    assert str(told.value) == "scopes: Choose from read, use, manage, secrets."
