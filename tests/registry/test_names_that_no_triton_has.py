"""A remote name that is no folder's name could never be asked about, and would look like a silent server."""

import pytest

from modelmanager.lib.refusals import Invalid
from models_registry.services.registration import register_model
from tests.monitoring.world import World


@pytest.mark.parametrize("remote_name", ["a/b", "a\\b", ".", ".."])
def test_a_name_that_is_no_folders_is_refused_even_unverified(world: World, remote_name: str) -> None:
    with pytest.raises(Invalid) as refused:
        register_model(actor="user:kim", verify=False, name="odd", provider=world.provider, remote_name=remote_name)

    assert [error["field"] for error in refused.value.extra["errors"]] == ["remote_name"]
