"""The first page: every server, who waits, what is wrong, what happened."""

from django.test import Client
from pytest_django import DjangoAssertNumQueries

from models_registry.models import Provider
from models_registry.vocabulary import Observed
from tests.console.conftest import signed_in, staff
from tests.console.pages import text_of
from tests.monitoring.world import World


def fill(world: World) -> None:
    """One leased, one that waits for it, one in error."""
    world.add("bge-m3", gpu_memory_mb=2200)
    world.add("rag-chat", gpu_memory_mb=4000)
    world.add("broken", gpu_memory_mb=100, failure="the weights are damaged")
    world.switch_on("broken")
    world.look()
    world.put("broken", switch_state="off", wanted=False)
    world.make_ready("bge-m3")
    world.use("bge-m3")
    world.put("rag-chat", switch_state="on", wanted=True, queued_at=world.at(0), observed=Observed.UNLOADED)
    world.look()


def test_a_server_shows_its_residents_and_who_waits_for_them(browser: Client, world: World) -> None:
    Provider.objects.update(gpu_memory_mb=6000)
    fill(world)
    shown = text_of(browser.get("/admin/"))
    assert "2,200 MB of 6,000 MB" in shown
    assert "bge-m3 In use 2,200 MB · 1 lease" in shown
    assert "The GPU is held by bge-m3 until" in shown
    assert "Answers" in shown


def test_a_running_load_shows_how_far_it_is(browser: Client, world: World) -> None:
    world.add("bge-m3", load_s=10)
    world.put("bge-m3", switch_state="on", wanted=True)
    world.look()
    world.advance(5)
    world.look()
    server = browser.get("/admin/").context["servers"][0]
    assert server.running.operation.model.name == "bge-m3"
    assert not server.running.usual
    assert server.running.percent == 2  # of the five minutes that a load may take
    assert [model.name for model, _ in server.parts] == ["bge-m3"]


def test_a_load_that_is_known_counts_towards_its_usual_end(browser: Client, world: World) -> None:
    world.add("bge-m3", load_s=10)
    world.put("bge-m3", switch_state="on", wanted=True, usual_load_s=10.0)
    world.look()
    world.advance(5)
    running = browser.get("/admin/").context["servers"][0].running
    assert running.usual
    assert running.percent == 50


def test_what_is_wrong_is_told_with_what_to_do(browser: Client, world: World) -> None:
    fill(world)
    shown = text_of(browser.get("/admin/"))
    assert "Loading failed: " in shown
    assert "the weights are damaged" in shown
    assert "Mend what the server complains about" in shown


def test_a_server_that_does_not_answer_says_so(browser: Client, world: World) -> None:
    world.add("bge-m3")
    world.fake.down = True
    world.look()
    assert "Does not answer" in text_of(browser.get("/admin/"))


def test_a_fresh_installation_is_shown_the_first_steps(browser: Client) -> None:
    shown = text_of(browser.get("/admin/"))
    assert "Three steps to the first lease" in shown
    assert "Nothing is wrong." in shown


def test_the_overview_asks_no_server_and_takes_a_fixed_number_of_queries(
    browser: Client, world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    fill(world)
    browser.get("/admin/overview/")
    world.fake.calls.clear()
    with django_assert_num_queries(11) as once:
        browser.get("/admin/overview/")
    for number in range(5):
        Provider.objects.create(
            name=f"gpu-{number}", kind="triton", base_url=f"http://h{number}", server_key=f"h{number}"
        )
        world.add(f"more-{number}")
        world.put(f"more-{number}", wanted=True, queued_at=world.at(0))
    with django_assert_num_queries(len(once)):
        browser.get("/admin/overview/")
    assert world.fake.calls == {}


def test_the_fragment_needs_somebody_signed_in(browser: Client, world: World) -> None:
    fill(world)
    answer = Client().get("/admin/overview/")
    assert answer.headers["HX-Refresh"] == "true"
    assert b"bge-m3" not in answer.content
    assert browser.post("/admin/overview/").status_code == 405


def test_who_may_see_no_models_sees_none_here(world: World) -> None:
    fill(world)
    assert "bge-m3" not in text_of(signed_in(staff("nora")).get("/admin/overview/"))
    looker = signed_in(staff("lena", "view_registeredmodel", "view_provider"))
    assert "bge-m3" in text_of(looker.get("/admin/overview/"))
