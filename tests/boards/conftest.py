"""Synthesis tests share one run of the known design."""

from pathlib import Path

import pytest

from hwgen_boards.devices import load_device
from hwgen_boards.synth import synthesize

KNOWN = Path(__file__).parent / "known.v"
NODES = {"conv": "product", "delay": "flops", "buffer": "ram", "add": "sum", "half": "narrow"}


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HWGEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def known(_own_cache, tmp_path_factory):
    return synthesize(KNOWN, NODES, load_device("lfe5u-12f"), tmp_path_factory.mktemp("synth"))
