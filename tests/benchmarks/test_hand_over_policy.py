"""The simulator of hand-over policies: everybody is served, no server is overfilled, and promises are kept."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks.hand_over_policy import arguments, main, verdict
from benchmarks.simulation import traces
from benchmarks.simulation.ours import Ours, Settings
from benchmarks.simulation.policies import Lru
from benchmarks.simulation.results import POLICIES, compare, simulate
from benchmarks.simulation.world import Broken, Gpu, Model, Request, World

ROOT = Path(__file__).resolve().parents[2]
MODELS = [Model("a", 2, 40), Model("b", 0.5, 60), Model("c", 4, 100), Model("d", 1, 30)]
NAMES = [model.name for model in MODELS]
GPUS = [Gpu(1), Gpu(2), Gpu(None, 100, 0.5)]
HASTY = Settings(hand_over_after_s=5, drain_s=2, idle_ttl_s=20)


def requests(seed: int = 1, *, per_s: float = 0.7, hold_s: float = 1, one_by_one: bool = False) -> list[Request]:
    return traces.generate(seed, NAMES, per_s=per_s, duration_s=150, hold_s=hold_s, one_by_one=one_by_one)


def most_at_once(world: World) -> tuple[int, int]:
    """The most models, and the most MB, that were on the GPU at any time, by the list of operations alone."""
    size = {model.name: model.size_mb for model in MODELS}
    taken: set[str] = set()
    number = memory = 0
    ended_at = 0.0
    for operation in world.operations:
        assert operation.began_at >= ended_at, "one at a time"
        ended_at = operation.ends_at
        taken = taken | {operation.model} if operation.kind == "load" else taken - {operation.model}
        number, memory = max(number, len(taken)), max(memory, sum(size[name] for name in taken))
    return number, memory


@pytest.mark.parametrize("gpu", GPUS, ids=str)
@pytest.mark.parametrize("policy", POLICIES)
class TestEveryPolicy:
    def test_serves_every_request_once_and_none_too_early(self, policy: str, gpu: Gpu):
        trace = requests()
        world = simulate(policy, MODELS, gpu, trace, HASTY)
        assert sorted(served.request for served in world.served) == trace
        assert all(served.at >= served.request.at for served in world.served)

    def test_never_has_more_on_the_gpu_than_fits(self, policy: str, gpu: Gpu):
        number, memory = most_at_once(simulate(policy, MODELS, gpu, requests(per_s=2), HASTY))
        assert gpu.slots is None or number <= gpu.slots
        assert gpu.memory_mb is None or memory <= gpu.memory_mb


@pytest.mark.slow
@pytest.mark.parametrize("gpu", GPUS, ids=str)
@pytest.mark.parametrize("per_s", [0.2, 3])
@pytest.mark.parametrize("hold_s", [0.5, 8])
def test_nobody_waits_longer_than_the_product_promises(gpu: Gpu, per_s: float, hold_s: float):
    for seed in range(3):
        found = compare(MODELS, gpu, requests(seed, per_s=per_s, hold_s=hold_s), HASTY)
        assert found["ours"].late == 0
        assert found["FIFO"].revoked == found["LRU"].revoked == 0


def test_a_promise_that_is_broken_is_counted():
    impatient = Ours(HASTY)
    impatient.asked = lambda world, request: impatient.promised.setdefault(request, 0.1)
    world = World({model.name: model for model in MODELS}, Gpu(1))
    world.run([Request(0, "a"), Request(9, "a")], impatient)
    late = [s for s in world.served if s.wait_s > impatient.promised[s.request]]
    assert [served.request.at for served in late] == [0]


def test_a_plain_hand_over_takes_an_unload_and_a_load():
    world = simulate("ours", MODELS, Gpu(1, unload_s=1.5), [Request(0, "a", 1), Request(10, "b", 1)], Settings())
    assert [served.wait_s for served in world.served] == [2, 1.5 + 0.5]


def test_a_request_that_waits_makes_a_model_that_is_always_in_use_hand_over():
    busy = [Request(float(at), "a", 5) for at in range(100)]
    worst = {name: found.worst_s for name, found in compare(MODELS, Gpu(1), [*busy, Request(10, "b")], HASTY).items()}
    assert worst["ours"] <= 5 + 2 + 1.2 + 0.5 + 4
    assert worst["LRU"] > 80


def test_an_idle_model_is_unloaded_after_its_time():
    world = simulate("ours", MODELS, Gpu(1), [Request(0, "a", 1), Request(100, "a", 1)], HASTY)
    assert [(o.kind, o.began_at) for o in world.operations] == [("load", 0), ("unload", 23), ("load", 100)]


def test_looking_ahead_keeps_what_will_be_asked_for_within_the_limit_and_no_longer():
    trace = [Request(0, "a", 1), Request(5, "b", 1), Request(9, "a", 1), Request(30, "a", 1)]
    world = simulate("looks ahead", MODELS, Gpu(1), trace, HASTY)
    assert [(o.kind, o.model, o.began_at) for o in world.operations][:3] == [
        ("load", "a", 0),
        ("unload", "a", 10),  # after the use at 9 s; the next one is too far away
        ("load", "b", 11.2),
    ]


def test_clients_that_ask_one_by_one_wait_for_their_answers():
    patient = Request(0, "a", 1, ((3, 1), (3, 1)))
    world = simulate("ours", MODELS, Gpu(1), [patient], Settings())
    assert [served.request.at for served in world.served] == [0, 6, 10]
    assert sum(1 + len(r.then) for r in requests(one_by_one=True)) == len(requests())


def test_a_policy_that_overfills_the_server_is_stopped():
    class Greedy(Lru):
        def act(self, world: World) -> None:
            for name in NAMES:
                if world.waiting[name] and name not in world.ready:
                    return world.load(name)
            return None

    world = World({model.name: model for model in MODELS}, Gpu(1))
    with pytest.raises(Broken, match="cannot be loaded beside"):
        world.run([Request(0, "a", 1), Request(5, "b", 1)], Greedy())


def test_the_same_seed_gives_the_same_figures():
    assert compare(MODELS, Gpu(1), requests(), HASTY) == compare(MODELS, Gpu(1), requests(), HASTY)


class TestTraces:
    def test_seconds_and_iso_times_are_read_alike(self, tmp_path: Path):
        seconds, iso = tmp_path / "seconds.csv", tmp_path / "iso.csv"
        seconds.write_text("time,model,hold_s\n107.5,b,2\n100,a,\n")
        iso.write_text("model,time\nb,2026-01-01T00:00:07.5+00:00\na,2026-01-01T09:00:00+09:00\n")
        assert traces.read(seconds) == [Request(0, "a", 1), Request(7.5, "b", 2)]
        assert traces.read(iso, hold_s=3) == [Request(0, "a", 3), Request(7.5, "b", 3)]

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("when,model\n1,a\n", "no column time"),
            ("time,model\nsoon,a\n", "line 2"),
            ("time,model\n1,a\n2,\n", "line 3"),
        ],
    )
    def test_what_cannot_be_read_is_named(self, tmp_path: Path, text: str, says: str):
        path = tmp_path / "bad.csv"
        path.write_text(text)
        with pytest.raises(traces.BadTrace, match=says):
            traces.read(path)

    def test_faster_is_closer_together_and_no_shorter_in_use(self):
        assert traces.faster([Request(0, "a", 2), Request(9, "b", 2)], 3) == [Request(0, "a", 2), Request(3, "b", 2)]


def test_a_recorded_trace_is_reported_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    trace, models, plot = tmp_path / "trace.csv", tmp_path / "models.csv", tmp_path / "plot.svg"
    trace.write_text("time,model\n" + "".join(f"{at},{NAMES[at % 3]}\n" for at in range(0, 60, 2)))
    models.write_text("name,load_s,size_mb\na,2,40\nb,1,60\n")
    given = ["--trace", str(trace), "--models", str(models), "--speed", "0.1", "3", "--slots", "1", "--plot", str(plot)]
    main(arguments().parse_args(given))
    printed = capsys.readouterr().out
    assert "trace.csv, 3 times as fast; 30 requests" in printed
    assert all(printed.count(f"\n  {name} ") == 2 for name in POLICIES)
    assert "0 waited longer than promised" in printed
    drawn = ET.parse(plot).getroot()  # noqa: S314  our own file
    assert len(drawn.findall(".//{*}path[@fill='none']")) == 4 * 3  # legend and two panels


def test_an_aim_that_is_missed_is_said_to_be():
    found = compare(MODELS, Gpu(1), requests(per_s=3), HASTY)
    assert found["FIFO"].share > 0.5
    assert verdict(found["ours"], found["FIFO"]) == "swaps ≤ 0.5 kept, p95 ≤ 0.2 kept"
    assert verdict(found["FIFO"], found["FIFO"]) == "swaps ≤ 0.5 MISSED, p95 ≤ 0.2 MISSED"


def test_it_runs_from_the_command_line_and_names_a_file_that_is_not_there(tmp_path: Path):
    argv = [sys.executable, "-m", "benchmarks.hand_over_policy", "--trace", str(tmp_path / "none.csv")]
    ended = subprocess.run(argv, cwd=ROOT, env=os.environ, text=True, capture_output=True, check=False, timeout=120)
    assert ended.returncode == 1
    assert "could not run" in ended.stderr and "none.csv" in ended.stderr
    assert "Traceback" not in ended.stderr
