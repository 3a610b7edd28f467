"""What the tests of the networks share."""

import pytest
import torch


@pytest.fixture(autouse=True)
def torch_settings():
    """Training fixes threads and algorithms for the whole process; the next test gets its own."""
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)
