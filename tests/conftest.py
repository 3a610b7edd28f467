"""What all tests share."""

from hypothesis import settings

# The same examples on every run, and no deadline: machines that run tests are shared.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.load_profile("suite")
