"""The host against a simulated board: the golden model's integers, or an error, never others."""

import itertools
import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import serial

from hwgen.emit.emit import describe
from hwgen.emit.verilog import to_verilog
from hwgen.errors import InputError
from hwgen.lower.top import lower
from hwgen.schedule.plan import Target
from hwgen.schedule.schedule import schedule
from hwgen_boards.host import Host
from hwgen_boards.host_frames import FrameReader, frame
from hwgen_boards.host_session import LinkFailed, Session
from hwgen_rtl.link_protocol import Command
from hwgen_sim import fast, golden
from hwgen_sim.board.faults import Faults, Line
from hwgen_sim.board.simulated import simulated_board
from tests.boards.link_bench import content_of, frame_of
from tests.flow.designs import classifier

FAULTS = Faults(drop=0.002, corrupt=0.002, insert=0.002, delay=0.002, late=0.03)
HASTY = {"patience": 0.01, "retries": 400}  # a busy machine may let a board wait for seconds
IMAGES = 200


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """Verilog of a tiny classifier."""
    path = tmp_path_factory.mktemp("tiny") / "top.v"
    path.write_text(classifier().verilog)
    return path


@pytest.fixture(scope="module")
def images():
    """Many images for the tiny classifier, and its golden outputs."""
    design = classifier()
    node = design.graph.input
    low, high = node.type.low, node.type.high
    x = np.random.default_rng(0).integers(low, high + 1, (IMAGES, *node.shape))
    return x, golden.run(design.graph, x)[design.graph.output.name]


class TestFrames:
    CONTENTS = (b"\x01\x00\x05", b"\x7e\x7d\x7e", bytes(range(256)))

    @pytest.mark.parametrize("content", CONTENTS)
    def test_are_those_of_the_documentation(self, content: bytes):
        assert frame(content) == frame_of(content)
        assert content_of(frame(content)) == content

    def test_are_found_in_pieces_and_among_garbage(self):
        garbage = [b"\x00\x7d", b"\x7e\x7e\x7d", b"\x7e\x00\x00\x00\x00\x7e"]
        data = b"".join(g + frame_of(c) for g, c in zip(garbage, self.CONTENTS, strict=True))
        for size in (1, 7, len(data)):
            reader, found = FrameReader(), []
            for start in range(0, len(data), size):
                found += reader.feed(data[start : start + size])
            assert tuple(found) == self.CONTENTS

    def test_with_any_flipped_bit_are_skipped(self):
        good = frame_of(b"\x84\x01\x02results")
        for bit in range(8, 8 * (len(good) - 1)):
            bad = bytearray(good)
            bad[bit // 8] ^= 1 << bit % 8
            assert FrameReader().feed(bytes(bad)) == []


class TestLine:
    def test_keeps_what_is_late_in_order(self):
        line = Line(Faults(delay=0.2, late=1.0), "in")
        line.push(bytes(range(50)), 0.0)
        assert line.happened > 0
        assert line.pull(0.5) == b""
        line.push(b"end", 0.5)
        assert line.pull(9.0) == bytes(range(50)) + b"end"

    def test_does_what_it_says(self):
        sent = bytes(20_000)
        for faults, least, most in (
            (Faults(drop=0.1), 17_800, 18_200),
            (Faults(insert=0.1), 21_800, 22_200),
            (Faults(corrupt=0.1), 20_000, 20_000),
        ):
            line = Line(faults, "out")
            line.push(sent, 0.0)
            arrived = line.pull(0.0)
            assert least <= len(arrived) <= most
            assert 1_800 <= line.happened <= 2_200
            assert (np.count_nonzero(np.frombuffer(arrived, np.uint8)) > 0) != (faults.drop > 0)


@pytest.mark.slow
class TestGoodLine:
    def test_gives_the_golden_integers(self, tiny: Path, images):
        x, expected = images
        manifest = classifier().manifest
        with simulated_board(tiny, manifest) as board, Host(board.port, manifest=manifest) as host:
            assert host.identify().build == int(manifest.config_hash[:16], 16)
            for part in (slice(0, 1), slice(1, None)):
                found = host.run(x[part])
                np.testing.assert_array_equal(found, expected[part])
            counts = host.counters()
        assert counts.images == IMAGES - 1
        beats = manifest.input.beats * (IMAGES - 1)
        assert beats < counts.cycles
        assert 0 < counts.input_stalls < counts.cycles
        assert counts.output_stalls == 0

    def test_refuses_another_build_before_it_sends_images(self, tiny: Path, images):
        manifest = classifier().manifest
        other = replace(manifest, config_hash="0123456789abcdef" + manifest.config_hash[16:])
        sentence = (
            rf"^The board holds build {manifest.config_hash[:16]} and the manifest of "
            rf"{manifest.name} describes 0123456789abcdef; program the board again\.$"
        )
        with simulated_board(tiny, manifest) as board, Host(board.port, manifest=other) as host:
            with pytest.raises(InputError, match=sentence):
                host.run(images[0])

    def test_refuses_images_that_do_not_fit(self, tiny: Path, images):
        manifest = classifier().manifest
        with simulated_board(tiny, manifest) as board, Host(board.port, manifest=manifest) as host:
            for wrong in (images[0][:, :1], images[0] + 16, images[0] / 2, images[0][:0]):
                with pytest.raises(InputError):
                    host.run(wrong)

    def test_a_session_that_another_program_ended_is_an_error(self, tiny: Path):
        with simulated_board(tiny, classifier().manifest) as board:
            with serial.Serial(board.port) as port:
                mine, theirs = (
                    Session(port, baudrate=115_200, patience=0.3, retries=3) for _ in range(2)
                )
                mine.open()
                assert mine.ask(Command.READ) == b""
                theirs.open()
                with pytest.raises(LinkFailed, match="it was reset, or another program talked to"):
                    mine.ask(Command.READ)


@pytest.mark.slow
class TestBadLine:
    @pytest.mark.parametrize("seed", range(6))
    def test_gives_the_golden_integers(self, tiny: Path, images, seed: int):
        x, expected = images
        manifest, faults = classifier().manifest, replace(FAULTS, seed=seed)
        with (
            simulated_board(tiny, manifest, faults=faults) as board,
            Host(board.port, manifest=manifest, **HASTY) as host,
        ):
            np.testing.assert_array_equal(host.run(x), expected)
            assert board.faults > 10

    @pytest.mark.parametrize("seed", range(6))
    def test_too_many_faults_are_an_error_or_the_golden_integers(
        self, tiny: Path, images, seed: int
    ):
        x, expected = images
        manifest = classifier().manifest
        faults = Faults(drop=0.03, corrupt=0.03, insert=0.03, delay=0.01, late=0.02, seed=seed)
        failed = False
        with (
            simulated_board(tiny, manifest, faults=faults) as board,
            Host(board.port, manifest=manifest, patience=0.005, retries=3) as host,
        ):
            try:
                np.testing.assert_array_equal(host.run(x), expected)
            except LinkFailed as error:
                failed = "did not answer" in str(error)
        assert failed

    def test_answers_later_than_patience_are_never_mistaken(self, tiny: Path, images):
        """Every request is repeated several times before its first answer comes."""
        x, expected = images
        manifest = classifier().manifest
        faults = Faults(delay=0.05, late=0.02)
        with (
            simulated_board(tiny, manifest, faults=faults) as board,
            Host(board.port, manifest=manifest, patience=0.002, retries=2000) as host,
        ):
            np.testing.assert_array_equal(host.run(x[:40]), expected[:40])
            assert host.counters().images == 40


class TestSessions:
    def test_each_one_has_another_name_than_the_one_before(self):
        class Answering:
            timeout = None
            names: ClassVar[list[int]] = []
            answer = b""

            def read(self, size: int = 1, /) -> bytes:
                return self.answer

            def write(self, data: bytes, /) -> None:
                command, name, number = content_of(data)
                self.names.append(name)
                # answers to other sessions and numbers come first
                fits = [(name ^ 1, number), (name, number ^ 1), (name, number)]
                self.answer = b"".join(frame_of(bytes([command | 0x80, *place])) for place in fits)

        session = Session(Answering(), baudrate=115_200, patience=1, retries=0)
        for _ in range(50):
            session.open()
        names = Answering.names
        assert all(first != second for first, second in itertools.pairwise(names))


class TestSilence:
    def test_a_board_that_says_nothing_is_an_error(self):
        class Silent:
            timeout = None
            written = 0

            def read(self, size: int = 1, /) -> bytes:
                time.sleep(self.timeout)
                return b""

            def write(self, data: bytes, /) -> None:
                self.written += 1

        port = Silent()
        host = Host(port, manifest=classifier().manifest, patience=0.01, retries=4)
        with pytest.raises(LinkFailed, match="did not answer IDENTIFY, sent 5 times"):
            host.identify()
        assert port.written == 5

    def test_noise_without_end_is_an_error(self):
        master, slave = os.openpty()
        stop = threading.Event()

        def noise():
            random = np.random.default_rng(0)
            while not stop.wait(0.001):
                os.write(master, random.bytes(50))

        with Host(os.ttyname(slave), manifest=classifier().manifest, patience=0.02, retries=2) as h:
            thread = threading.Thread(target=noise)
            thread.start()
            try:
                with pytest.raises(LinkFailed, match="did not answer"):
                    h.identify()
            finally:
                stop.set()
                thread.join()
        os.close(slave)
        os.close(master)

    def test_a_port_that_does_not_exist_is_an_error(self, tmp_path: Path):
        with pytest.raises(InputError, match=r"^The port .*/ttyNone cannot be opened: "):
            Host(str(tmp_path / "ttyNone"), manifest=classifier().manifest)

    @pytest.mark.slow
    def test_a_design_that_stops_is_an_error(self, tmp_path: Path, images):
        manifest = classifier().manifest
        stuck = tmp_path / "top.v"
        stuck.write_text(
            f"module top(input clk, rst, i__valid, o__ready, input [{manifest.input.width - 1}:0] "
            f"i__payload, output i__ready, o__valid, output [{manifest.output.width - 1}:0] "
            "o__payload); assign i__ready = 0, o__valid = 0, o__payload = 0; endmodule\n"
        )
        with (
            simulated_board(stuck, manifest) as board,
            Host(board.port, manifest=manifest, idle=0.3) as host,
        ):
            with pytest.raises(LinkFailed, match=r"nor gives results for 0\.3 s, after 384 of"):
                host.run(images[0])
            assert host.counters().input_stalls > 0


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The committed network of binary layers: graph, Verilog, manifest and 100 digits."""
    from models.accuracy import ROOT, imported, quantized
    from models.common import load_data, load_recipe

    recipe = load_recipe(ROOT / "digits_xnor")
    data = load_data(recipe, None)
    graph = quantized(imported("digits_xnor", data.classes), data, recipe)
    plan = schedule(graph, Target(cycles=20_000))
    verilog = tmp_path_factory.mktemp("digits") / "top.v"
    verilog.write_text(to_verilog(lower(plan)))
    x = golden.prepare(graph, data.held_out.images[:100])
    expected = fast.run(graph, x, keep=[graph.output.name])[graph.output.name]
    right = float(np.mean(expected[:, 0] == data.held_out.labels[:100]))
    assert right > 0.9  # what is compared below are answers, not constants
    return verilog, describe(plan, verilog.read_text(), ""), x, expected


MILD = Faults(drop=3e-4, corrupt=3e-4, insert=2e-4, delay=2e-4, late=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("faults", [None, MILD], ids=["good line", "bad line"])
def test_a_hundred_digits_have_the_golden_answers(digits, faults: Faults | None):
    verilog, manifest, x, expected = digits
    patience = {} if faults is None else HASTY
    with (
        simulated_board(verilog, manifest, faults=faults) as board,
        Host(board.port, manifest=manifest, **patience) as host,
    ):
        found = host.run(x)
        counts = host.counters()
        assert (board.faults > 50) == (faults is not None)
    np.testing.assert_array_equal(found, expected)
    assert counts.images == 100
