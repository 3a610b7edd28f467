"""What all tests share."""

import signal

from hypothesis import settings

# The same examples on every run, and no deadline: machines that run tests are shared.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.load_profile("suite")

# A shell starts jobs in the background with SIGINT ignored, and so would the commands be that
# tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
