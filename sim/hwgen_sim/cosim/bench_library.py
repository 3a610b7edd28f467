"""A built bench as a shared library in this process; ``harness`` has the other side."""

import ctypes
from collections.abc import Sequence
from pathlib import Path

__all__ = ["BenchLibrary"]


class BenchLibrary:
    """A bench that has begun; close it when done.

    Parameters:
        library  : that ``Model.library`` names
        plusargs : words for the bench's ``$value$plusargs``
    """

    def __init__(self, library: Path, plusargs: Sequence[str]):
        self._code = _load(library)
        words = [b"bench", *(word.encode() for word in plusargs)]
        self._bench = self._code.hwgen_open(len(words), (ctypes.c_char_p * len(words))(*words))

    @property
    def cycle(self) -> int:
        """Clock cycles so far."""
        return self._code.hwgen_cycle(self._bench)

    def run(self, edges: int) -> bool:
        """Run clock edges; gives whether the bench says that it has finished."""
        return bool(self._code.hwgen_run(self._bench, edges))

    def trace(self, path: Path, edges: int) -> None:
        """Run clock edges and write them as VCD; only a model made for VCD can."""
        trace = self._code.hwgen_trace
        trace.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint64)
        trace(self._bench, str(path).encode(), edges)

    def saif(self, start: Path, run: Path) -> None:
        """Run to the end and write the toggles of every net; only a model made for SAIF can."""
        saif = self._code.hwgen_saif
        saif.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p)
        saif(self._bench, str(start).encode(), str(run).encode())

    def close(self) -> None:
        """End the simulation and free it."""
        self._code.hwgen_close(self._bench)


def _load(library: Path) -> ctypes.CDLL:
    code = ctypes.CDLL(str(library))
    code.hwgen_open.restype = ctypes.c_void_p
    code.hwgen_open.argtypes = (ctypes.c_int, ctypes.POINTER(ctypes.c_char_p))
    code.hwgen_run.restype = ctypes.c_uint32
    code.hwgen_run.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
    code.hwgen_cycle.restype = ctypes.c_uint64
    code.hwgen_cycle.argtypes = (ctypes.c_void_p,)
    code.hwgen_close.argtypes = (ctypes.c_void_p,)
    return code
