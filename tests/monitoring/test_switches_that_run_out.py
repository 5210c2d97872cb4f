"""A switch that holds until a time: the watcher is there when it runs out."""

from tests.monitoring.world import World


def test_on_until_a_time_it_is_unloaded_then(world: World):
    world.add("chat")
    world.switch_on("chat", until=world.at(300))
    world.run_for(299)
    assert world.status("chat") == "active"
    world.run_for(3)
    assert (world.status("chat"), world.resident()) == ("registered", [])
    assert "unwanted" in world.codes("chat")


def test_on_until_a_time_a_lease_drains_then(db: None, build):
    world = build(drain_s=20)
    world.add("chat")
    world.switch_on("chat", until=world.at(60))
    world.run_for(5)
    world.use("chat", ttl_s=600)
    world.run_for(60)
    assert world.resident() == ["chat"]
    world.run_for(20)
    assert world.resident() == []


def test_one_that_never_got_room_stops_waiting_then(world: World):
    world.add("a1", pinned=True)
    world.bring_up("a1")
    world.add("b1")
    world.switch_on("b1", until=world.at(60))
    world.run_for(62)
    assert (world.status("b1"), world.model("b1").queued_at) == ("registered", None)
