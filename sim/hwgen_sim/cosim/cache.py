"""Folders of built simulators, named after the content of everything that went into them."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

__all__ = ["cache_root", "cached", "log_path"]


def cache_root() -> Path:
    """Folder of all cached builds: ``$HWGEN_CACHE``, else ``~/.cache/hwgen``."""
    return Path(os.environ.get("HWGEN_CACHE") or Path.home() / ".cache" / "hwgen")


def _simulators() -> Path:
    return cache_root() / "simulation"


def log_path(name: str) -> Path:
    """Give the path of a tool's log, which outlives a failed build."""
    folder = _simulators() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.log"


def cached(kind: str, parts: Iterable[str | bytes], build: Callable[[Path], None]) -> Path:
    """Return the folder for ``parts``; ``build`` fills it where it does not exist yet.

    Safe under several processes: one builds, the others wait, and a folder appears whole or not
    at all.
    """
    folder = _simulators() / f"{kind}-{_digest(parts)}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.is_dir():
                _build(folder, build)
    return folder


def _build(folder: Path, build: Callable[[Path], None]) -> None:
    staging = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        build(staging)
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _digest(parts: Iterable[str | bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)  # the length keeps parts apart
    return digest.hexdigest()[:24]
