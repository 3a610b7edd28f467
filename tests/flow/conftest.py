"""What the tests of whole flows share."""

import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def simulator_cache(tmp_path_factory: pytest.TempPathFactory):
    """One cache of built simulators for all sessions; a developer's own one where it is named."""
    with pytest.MonkeyPatch.context() as patch:
        if "HWGEN_CACHE" not in os.environ:
            folder = tmp_path_factory.getbasetemp().parent / "hwgen-cache"
            patch.setenv("HWGEN_CACHE", str(folder))
        yield
