"""Free checks by the clock: how many there are, what they cost, and what they find in the end."""

import pytest
from django.db import connection

from models_registry.models import Provider, RegisteredModel
from models_registry.services.providers import update_provider
from tests.api_providers.servers import error
from tests.checks.server import KEY
from tests.checks.world import ApiWorld

HOUR, DAY = 3600, 86400


@pytest.mark.slow
def test_trap_14_a_day_of_checks_is_never_billed(api: ApiWorld):
    api.add("gpt-mini")
    api.add("embed-small")
    api.bring_up("gpt-mini", "embed-small")
    asked = len(api.server.asked)

    api.run_for(DAY)

    assert api.server.billed == []
    assert len(api.server.asked) - asked == DAY / 300
    assert set(api.server.paths) == {"/v1/models"}
    assert (api.status("gpt-mini"), api.codes("gpt-mini")) == ("active", ["switched_on", "ready"])


@pytest.mark.slow
def test_a_day_of_trouble_is_never_billed_either(api: ApiWorld):
    for name in ("gpt-mini", "gone", "alias"):
        api.add(name)
        api.switch_on(name)
    api.server.aliases = ["alias"]
    for hour in range(24):
        api.server.feel((None, 500, 429, None, 401, 302)[hour % 6])
        api.run_for(HOUR)
    assert api.server.billed == []
    assert set(api.server.paths) == {"/v1/models", "/v1/models/gone", "/v1/models/alias"}


class TestAProviderThatFails:
    def test_the_error_shows_within_the_promised_time(self, api: ApiWorld):
        api.add("gpt-mini")
        api.bring_up("gpt-mini")
        api.server.feel(500)
        api.run_for(300 + 2 * 30 + 1)
        assert (api.status("gpt-mini"), api.error("gpt-mini")) == ("error", "provider_unreachable")
        assert api.model("gpt-mini").error_message == "HTTP 500: not now"

    def test_trap_13_one_failed_check_changes_no_status(self, api: ApiWorld):
        api.add("gpt-mini")
        api.bring_up("gpt-mini")
        api.server.feel(500)
        api.run_for(301)
        assert api.health().consecutive_failures == 1
        api.server.feel(None)
        api.run_for(HOUR)
        assert api.codes("gpt-mini") == ["switched_on", "ready"]
        assert api.health().health_state == "ok"

    def test_it_recovers_after_two_good_checks(self, api: ApiWorld):
        api.add("gpt-mini")
        api.bring_up("gpt-mini")
        api.server.feel(500)
        api.run_for(HOUR)
        api.server.feel(None)
        api.run_for(300 + 30 + 1)
        assert api.status("gpt-mini") == "recovered"
        assert api.codes("gpt-mini")[-2:] == ["provider_unreachable", "recovered"]
        assert api.health().health_state == "ok"

    def test_trap_13_one_that_flaps_is_not_cleared_by_its_good_moments(self, api: ApiWorld):
        api.add("gpt-mini")
        api.bring_up("gpt-mini")
        api.server.feel(500)
        api.run_for(HOUR)
        for turn in range(40):
            api.server.feel(None if turn % 2 else 500)
            api.advance(60)
            Provider.objects.update(wake_at=api.at(0), checked_at=api.at(-HOUR))
            api.settle()
            assert api.status("gpt-mini") == "error"
        assert api.codes("gpt-mini") == ["switched_on", "ready", "provider_unreachable"]
        assert api.health().flaps == 20

    def test_what_nobody_wants_is_not_marked(self, api: ApiWorld):
        api.add("gpt-mini")
        api.run_for(301)
        api.server.feel(500)
        api.run_for(HOUR)
        assert (api.status("gpt-mini"), api.model("gpt-mini").observed) == ("registered", "unknown")
        api.server.feel(None)
        api.run_for(HOUR)
        assert api.model("gpt-mini").observed == "ready"

    def test_what_a_person_switched_off_stays_off(self, api: ApiWorld):
        api.add("gpt-mini")
        api.bring_up("gpt-mini")
        api.server.feel(500)
        api.run_for(HOUR)
        api.switch_off("gpt-mini")
        assert api.status("gpt-mini") == "registered"
        api.server.feel(None)
        api.run_for(HOUR)
        assert (api.status("gpt-mini"), api.model("gpt-mini").switch_state) == ("registered", "off")


class TestBeingLimited:
    def test_trap_14_an_hour_of_it_is_no_error(self, api: ApiWorld):
        api.add("gpt-mini")
        api.bring_up("gpt-mini")
        api.server.feel(429)
        asked = len(api.server.asked)
        api.run_for(HOUR)
        assert (api.status("gpt-mini"), api.codes("gpt-mini")) == ("active", ["switched_on", "ready"])
        assert len(api.server.asked) - asked == HOUR / 300
        assert (api.health().health_state, api.health().health_code) == ("ok", "rate_limited")
        assert api.health().consecutive_failures == 0

    def test_a_provider_that_wants_to_be_left_alone_is(self, api: ApiWorld):
        api.server.feel(429, Retry_After="1800")
        api.run_for(1700)
        assert len(api.server.asked) == 1
        api.run_for(200)
        assert len(api.server.asked) == 2

    def test_a_model_that_waits_for_its_first_check_gives_up_at_its_deadline(self, api: ApiWorld):
        api.server.feel(429)
        api.add("gpt-mini")
        api.switch_on("gpt-mini")
        api.run_for(890)
        assert api.status("gpt-mini") == "activating"
        api.run_for(20)
        assert api.error("gpt-mini") == "activation_timeout"
        api.server.feel(None)
        api.run_for(301)
        assert api.status("gpt-mini") == "recovered"


class TestAKeyThatIsRevoked:
    @pytest.fixture
    def revoked(self, api: ApiWorld) -> ApiWorld:
        api.add("gpt-mini")
        api.bring_up("gpt-mini")
        api.server.keys = {"sk-new-0123456789"}
        api.run_for(301)
        assert api.status("gpt-mini") == "active"  # a wrong key, too, must be told three times
        api.run_for(61)
        assert api.error("gpt-mini") == "credential_invalid"
        return api

    def test_replaced_it_works_with_the_first_good_check(self, revoked: ApiWorld):
        update_provider(revoked.health(), {"api_key": "sk-new-0123456789"}, actor="user:kim")
        revoked.settle()
        assert revoked.status("gpt-mini") == "recovered"
        assert revoked.health().health_state == "ok"

    def test_no_message_holds_it(self, revoked: ApiWorld):
        told = [revoked.health().health_error, revoked.model("gpt-mini").error_message]
        assert all(told)
        assert not any(KEY in message for message in told)

    def test_trap_15_a_second_key_takes_over_with_no_gap(self, api: ApiWorld):
        api.add("gpt-mini")
        Provider.objects.update(api_key_2="sk-new-0123456789")
        api.bring_up("gpt-mini")
        assert api.health().key_in_use == 1
        api.server.keys = {"sk-new-0123456789"}
        api.run_for(HOUR)
        assert (api.status("gpt-mini"), api.health().key_in_use) == ("active", 2)
        assert api.codes("gpt-mini") == ["switched_on", "ready"]


def test_trap_22_a_key_that_cannot_be_read_is_believed_without_a_question(api: ApiWorld):
    api.add("gpt-mini")
    api.bring_up("gpt-mini")
    asked = len(api.server.asked)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE models_registry_provider SET api_key = 'gAAAAA-not-ours'")
    assert api.health().health_state == "failing"  # before any check
    api.run_for(301)
    assert (api.error("gpt-mini"), api.health().health_state) == ("credential_invalid", "failing")
    assert api.health().health_code == "credential_invalid"
    assert api.health().health_error  # in the installation's language
    assert len(api.server.asked) == asked


class TestAModelThatIsWithdrawn:
    def test_it_is_marked_whether_it_is_wanted_or_not_and_recovers_when_it_is_back(self, api: ApiWorld):
        api.add("gpt-mini")
        api.add("embed-small")
        api.bring_up("gpt-mini")
        offered, api.server.models = api.server.models, []
        api.run_for(301)
        assert [api.error(name) for name in ("gpt-mini", "embed-small")] == ["not_offered"] * 2
        assert api.health().health_state == "ok"
        api.server.models = offered
        api.run_for(301)
        assert [api.status(name) for name in ("gpt-mini", "embed-small")] == ["recovered", "registered"]

    def test_one_that_is_only_missing_from_the_list_is_an_alias(self, api: ApiWorld):
        api.server.aliases = ["latest"]
        api.add("latest")
        api.bring_up("latest")
        api.run_for(HOUR)
        assert api.codes("latest") == ["switched_on", "ready"]

    @pytest.mark.parametrize("status", [502, 503, 504])
    def test_a_provider_too_busy_to_look_it_up_says_nothing_about_it(
        self, api: ApiWorld, monkeypatch: pytest.MonkeyPatch, status: int
    ):
        api.server.aliases = ["latest"]
        api.add("latest")
        api.bring_up("latest")
        monkeypatch.setattr(api.server, "look_up", lambda name: error(status, "Overloaded."))
        api.run_for(HOUR)
        assert (api.codes("latest"), api.status("latest")) == (["switched_on", "ready"], "active")
        assert api.use("latest").lease_id

    def test_many_at_once_are_not_all_looked_up(self, api: ApiWorld):
        for number in range(50):
            api.add(f"gone-{number}")
        api.settle()
        assert RegisteredModel.objects.filter(error_code="not_offered").count() == 50
        assert len(api.server.asked) <= 1 + 2 * 10


def test_a_disabled_provider_is_never_checked(api: ApiWorld):
    api.add("gpt-mini")
    api.bring_up("gpt-mini")
    asked = len(api.server.asked)
    Provider.objects.update(enabled=False)
    api.poll()
    api.run_for(HOUR)
    assert len(api.server.asked) == asked
    assert api.status("gpt-mini") == "active"


def test_enabled_again_it_is_checked_at_once(api: ApiWorld):
    api.settle()
    provider = update_provider(api.health(), {"enabled": False}, actor="user:kim")
    api.run_for(HOUR)
    asked = len(api.server.asked)
    update_provider(provider, {"enabled": True}, actor="user:kim")
    api.settle()
    assert len(api.server.asked) == asked + 1
