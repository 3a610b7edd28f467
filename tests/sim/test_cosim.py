"""Cosimulation of a toy design against NumPy, and what it says when the design misbehaves."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwgen.emit.beats import beat_of, pack_beats, unpack_beats
from hwgen.emit.manifest import JoinInput, Manifest, Stream
from hwgen.errors import BuildError, CheckFailed, InputError, ToolFailed, ToolMissing
from hwgen_rtl.numerics import IntType
from hwgen_sim.compare import compare
from hwgen_sim.cosim import SimResult, Waves, simulate
from hwgen_sim.cosim.bench import Probe, bench_text
from hwgen_sim.explain import explain

TOY = Path(__file__).parent / "data" / "toy.v"
ICARUS = pytest.param(
    "icarus",
    "cocotb",
    marks=pytest.mark.skipif(not shutil.which("iverilog"), reason="Icarus is not installed"),
)
ENGINES = [("verilator", "library"), ("verilator", "cocotb"), ICARUS]
STOPS, ADDS_ONE, REPEATS = -128, -127, -126


def stream(node: str, shape: tuple[int, ...], kind: str, lanes: int, instance: str = "") -> Stream:
    return Stream(
        node=node,
        kind="toy",
        shape=shape,
        type=IntType.parse(kind),
        scale=(1.0,),
        lanes=lanes,
        instance=instance,
    )


MANIFEST = Manifest(
    name="toy",
    hwgen="0",
    config_hash="",
    verilog_sha256="",
    input=stream("x", (3, 4, 5), "int8", 3),
    output=stream("total", (2,), "int40", 2),
    nodes=(
        stream("scale", (3, 4, 5), "int19", 3, "buf"),
        stream("narrow", (3, 4, 5), "int19", 1, "tail.narrow"),
        stream("total", (2,), "int40", 2, "tail.total"),
    ),
    aliases={},
    mean=(0.0,),
    std=(1.0,),
    settled_cycles=0,
    latency_cycles=63,
    interval_cycles=61,
    versions={},
)


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory):
    """One cache for the session; a developer's own one is used where it is named."""
    if "HWGEN_CACHE" not in os.environ:
        os.environ["HWGEN_CACHE"] = str(tmp_path_factory.getbasetemp().parent / "hwgen-cache")
        yield
        del os.environ["HWGEN_CACHE"]
    else:
        yield


def images(count: int) -> np.ndarray:
    # Without the three values that make the toy misbehave.
    return np.random.default_rng(5).integers(-125, 128, (count, 3, 4, 5))


def twin(x: np.ndarray) -> dict[str, np.ndarray]:
    scale = 3 * x + 7
    flat = scale.reshape(len(x), -1)
    total = np.stack([flat.sum(axis=1), flat.max(axis=1)], axis=1)
    return {"scale": scale, "narrow": scale, "total": total}


def run(x: np.ndarray, **options) -> SimResult:
    return simulate(TOY, MANIFEST, x, **{"engine": "library", **options})


def same(one: SimResult, other: SimResult) -> bool:
    """Say whether two runs put out the same integers in the same cycles."""
    pairs = [(one.arrays, other.arrays), (one.transfers, other.transfers)]
    equal = all(np.array_equal(a[node], b[node]) for a, b in pairs for node in a)
    return equal and one.cycles == other.cycles


def with_ordinary_clock(observed: tuple[Probe, ...], joins: tuple[JoinInput, ...]) -> str:
    """The bench with a clock made by delays and blocking assignment, as people write it."""
    before, rest = bench_text(observed, joins).split("  always @(posedge go", 1)
    clock = "  initial while (!finished) begin #5 clk = 1; #5 clk = 0; end\n\n"
    return before + clock + rest[rest.index("  reg [2:0] reset_cycles") :]


def run_alone(command: tuple[str, ...], plusargs: list[str], folder: Path) -> float:
    """Run the program of Icarus without the cocotb in its command."""
    subprocess.run([command[0], command[-1], *plusargs], check=True, cwd=folder)
    return 1.0


class TestEquality:
    @pytest.mark.parametrize(("simulator", "engine"), ENGINES)
    @pytest.mark.parametrize("stalls", [0, 1, 2024])
    def test_all_nodes_equal_the_twin(self, simulator: str, engine: str, stalls: int):
        x = images(5)
        result = run(x, simulator=simulator, engine=engine, stalls=stalls)
        comparison = compare(twin(x), result.arrays, MANIFEST)
        assert comparison.total == 0
        assert comparison.nodes_checked == ("scale", "narrow", "total")
        assert comparison.values_compared == 5 * (60 + 60 + 2)

    @pytest.mark.parametrize("stalls", range(3, 13))
    def test_many_seeds(self, stalls: int):
        x = images(40)
        assert compare(twin(x), run(x, stalls=stalls).arrays, MANIFEST).total == 0

    def test_engines_agree_on_every_cycle(self):
        runs = [run(images(4), engine=engine, stalls=9) for engine in ("library", "cocotb")]
        assert same(*runs)

    def test_output_alone(self):
        x = images(3)
        result = run(x, nodes="output")
        assert (set(result.arrays), set(result.transfers)) == ({"total"}, {"x", "total"})
        assert np.array_equal(result.arrays["total"], twin(x)["total"])


class TestCycles:
    def test_latency_and_interval_are_those_of_the_design(self):
        result = run(images(4))
        # 60 beats through the narrowest stage, one register before and two behind it, less the
        # cycle that the first beat itself takes; the last stage blocks one cycle per image.
        assert (result.latency_cycles, result.interval_cycles) == (62, 61)

    def test_one_image_has_no_interval(self):
        assert run(images(1)).interval_cycles == 0

    def test_stalls_cost_cycles(self):
        assert run(images(20), stalls=1).cycles > run(images(20)).cycles

    @pytest.mark.parametrize("burst", [1, 7])
    def test_cycles_do_not_depend_on_the_burst(self, monkeypatch: pytest.MonkeyPatch, burst: int):
        usual = run(images(3), stalls=4)
        monkeypatch.setattr("hwgen_sim.cosim.engines.BURST", burst)
        assert same(usual, run(images(3), stalls=4))

    @pytest.mark.skipif(not shutil.which("iverilog"), reason="Icarus is not installed")
    def test_bursts_equal_an_ordinary_clock(self, monkeypatch: pytest.MonkeyPatch):
        usual = run(images(6), stalls=8)
        monkeypatch.setattr("hwgen_sim.cosim.simulation.bench_text", with_ordinary_clock)
        monkeypatch.setattr("hwgen_sim.cosim.simulation.run_cocotb", run_alone)
        assert same(usual, run(images(6), stalls=8, simulator="icarus", engine="cocotb"))


class TestMisbehaviour:
    @pytest.mark.parametrize("stalls", [0, 3])
    def test_first_mismatch_is_found_and_explained(self, stalls: int):
        x = images(5)
        x[3, 0, 2, 4] = ADDS_ONE
        result = run(x, stalls=stalls)
        comparison = compare(twin(x), result.arrays, MANIFEST)
        first = comparison.first
        assert first is not None
        assert (first.node, first.image, first.index) == ("scale", 3, (1, 2, 4))
        assert first.got == first.expected + 1 == 3 * x[3, 1, 2, 4] + 8
        assert comparison.mismatches["scale"] == comparison.mismatches["narrow"] == 1
        told = explain(first, result, MANIFEST, build=Path("b"), inputs=Path("my x.npz"))
        assert told.cycle == result.transfers["scale"][3, 14]
        assert "hwgen verify b --inputs 'my x.npz' --count 4" in str(told)
        assert ("--stalls 3" in str(told)) == (stalls == 3)

    @pytest.mark.parametrize(("simulator", "engine"), ENGINES)
    def test_deadlock_names_who_waits(self, simulator: str, engine: str):
        x = images(3)
        x[1, 0, 1, 1] = STOPS
        with pytest.raises(CheckFailed) as caught:
            run(x, simulator=simulator, engine=engine, idle_limit=500)
        lines = str(caught.value).splitlines()
        assert lines[0].startswith("The design stopped: no beat moved")
        assert (
            lines[1] == "  x: 27 of 60 beats, blocked: its receiver is not ready (valid 1, ready 0)"
        )
        assert lines[2].startswith("  scale: 27 of 60 beats, starving")
        assert lines[4].startswith("  total: 1 of 3 beats, starving")

    def test_surplus_is_refused(self):
        x = images(2)
        x[1, 0, 0, 0] = REPEATS
        with pytest.raises(CheckFailed, match="total sent more than the 2 beats of 2 image"):
            run(x)


class TestBuild:
    def test_second_run_builds_nothing(self, monkeypatch: pytest.MonkeyPatch):
        run(images(1))
        monkeypatch.setattr("hwgen_sim.cosim.verilated.run_tool", None)
        assert run(images(2), stalls=1).cycles > 0

    def test_failing_tool_shows_its_last_lines(self, tmp_path: Path):
        broken = tmp_path / "top.v"
        broken.write_text("module top(input clk; endmodule\n")
        with pytest.raises(ToolFailed, match="Verilator failed") as caught:
            simulate(broken, MANIFEST, images(1), engine="library")
        assert "syntax error" in str(caught.value)
        assert caught.value.log is not None
        assert caught.value.log.is_file()

    def test_waves_hold_the_window(self, tmp_path: Path):
        waves = Waves(tmp_path / "toy.vcd", first=10, last=19)
        assert run(images(1), waves=waves).cycles == run(images(1)).cycles
        text = waves.path.read_text()
        assert "$scope module dut" in text
        assert sum(line.startswith("#") for line in text.splitlines()) == 20


class TestRefusals:
    def test_shape(self):
        with pytest.raises(InputError, match=r"\(N, \*\(3, 4, 5\)\)"):
            run(images(1)[:, :2])

    def test_range(self):
        with pytest.raises(InputError, match="integers of int8"):
            run(images(1) + 100)

    def test_engine(self):
        with pytest.raises(ValueError, match="engine must be one of"):
            run(images(1), engine="guess")

    def test_missing_tool_names_the_remedy(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(ToolMissing, match=r"cocotb is not installed; run: pip install"):
            run(images(1), engine="cocotb")

    def test_missing_verilog(self, tmp_path: Path):
        with pytest.raises(BuildError, match="is missing"):
            simulate(tmp_path / "top.v", MANIFEST, images(1))


def bits_of(values: np.ndarray, shape: tuple[int, ...], width: int, lanes: int) -> list[int]:
    """Beats of one image as integers, written the slow way with strings of bits."""
    order = values if len(shape) == 1 else values.transpose(1, 2, 0)
    texts = [format(int(v) & ((1 << width) - 1), f"0{width}b") for v in order.ravel()]
    groups = [texts[k : k + lanes] for k in range(0, len(texts), lanes)]
    return [int("".join(reversed(group)), 2) for group in groups]


@st.composite
def tensors(draw: st.DrawFn) -> tuple[Stream, np.ndarray]:
    kind = IntType(bits=draw(st.integers(1, 64)), signed=draw(st.booleans()))
    if kind == IntType(64, False):
        kind = IntType(63, False)  # 64 unsigned bits do not fit the int64 arrays
    lanes, groups = draw(st.integers(1, 9)), draw(st.integers(1, 3))
    shape = draw(st.sampled_from([(lanes * groups,), (lanes * groups, 2, 3)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = rng.integers(kind.low, kind.high, (2, *shape), endpoint=True, dtype=np.int64)
    return stream("t", shape, str(kind), lanes), values


class TestBeats:
    @given(tensors())
    def test_pack_equals_strings_of_bits_and_unpack_inverts(self, case: tuple[Stream, np.ndarray]):
        tensor, values = case
        words = pack_beats(values, tensor)
        beats = [sum(int(w) << (64 * k) for k, w in enumerate(row)) for row in words]
        kind = tensor.type
        oracle = [bits_of(image, tensor.shape, kind.bits, tensor.lanes) for image in values]
        assert beats == oracle[0] + oracle[1]
        assert np.array_equal(unpack_beats(words, tensor), values)

    @given(tensors())
    def test_beat_of_finds_every_element(self, case: tuple[Stream, np.ndarray]):
        tensor, _ = case
        marked = np.zeros((1, *tensor.shape), dtype=np.int64)
        low = tensor.type.low if tensor.type.signed else 1
        index = tuple(size - 1 - (size > 2) for size in tensor.shape)
        marked[(0, *index)] = low
        carrying = np.flatnonzero(pack_beats(marked, tensor).any(axis=1))
        assert carrying.tolist() == [beat_of(index, tensor)]
