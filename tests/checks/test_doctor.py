"""What the doctor says of API providers and their models."""

from modelmanager.lib.clock import now
from monitoring.doctor import Finding, examine
from tests.checks.world import ApiWorld


def found(subject: str) -> Finding | None:
    return next((finding for finding in examine(now()) if finding.subject == subject), None)


def test_a_good_provider_is_nobodys_business(api: ApiWorld):
    api.settle()
    assert found("openai") is None


def test_one_failed_check_is_no_finding(api: ApiWorld):
    api.settle()
    api.server.feel(500)
    api.run_for(301)
    assert found("openai") is None


def test_a_failing_provider_is_told_since_when_and_why(api: ApiWorld):
    api.settle()
    api.server.feel(500)
    api.run_for(3600)
    finding = found("openai")
    assert finding is not None
    assert (finding.what, finding.since, finding.stuck) == (
        "fails its checks (HTTP 500: not now)",
        api.health().health_since,
        True,
    )


def test_a_refused_key_has_to_be_entered_again(api: ApiWorld):
    api.settle()
    api.server.keys = set()
    api.run_for(3600)
    finding = found("openai")
    assert finding is not None
    assert finding.advice == "enter the provider's key again"


def test_a_model_that_waits_for_a_check_has_a_deadline(api: ApiWorld):
    api.server.feel(429)
    api.add("gpt-mini")
    api.switch_on("gpt-mini")
    api.settle()
    finding = found("gpt-mini")
    assert finding is not None
    assert (finding.what, finding.owner, finding.stuck) == ("waits for a check of its provider", "openai", False)
    assert finding.deadline == api.at(900)


def test_leases_that_drain_end_without_an_unload(api: ApiWorld):
    api.add("gpt-mini")
    api.bring_up("gpt-mini")
    api.use("gpt-mini")
    api.switch_off("gpt-mini")
    finding = found("gpt-mini")
    assert finding is not None
    assert finding.what == "drains 1 open leases"


def test_checks_that_nobody_makes_are_named(api: ApiWorld):
    api.settle()
    api.advance(1000)
    finding = found("checks")
    assert finding is not None
    assert finding.what == "not checked for 11 minutes: openai"
