"""The graph between all stages; imports NumPy and hwgen_rtl.numerics only."""
