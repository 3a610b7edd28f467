"""Results of long tool runs, kept by the hash of everything that decides them."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

__all__ = ["cache_folder", "cached", "file_digest", "key_of"]


def cache_folder() -> Path:
    """``$HWGEN_CACHE``, else ``hwgen`` in the user's cache folder."""
    if chosen := os.environ.get("HWGEN_CACHE"):
        return Path(chosen)
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "hwgen"


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def key_of(parts: Mapping[str, object]) -> str:
    """SHA-256 of a JSON-like mapping, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def cached(kind: str, key: str, build: Callable[[Path], None]) -> tuple[Path, bool]:
    """Folder of the result, and whether it was there before.

    ``build`` fills an empty folder, which appears in the cache whole or not at all; it may raise.
    """
    entry = cache_folder() / kind / key
    if entry.is_dir():
        return entry, True
    entry.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=entry.parent))
    try:
        build(fresh)
        _publish(fresh, entry)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return entry, False


def _publish(fresh: Path, entry: Path) -> None:
    try:
        fresh.rename(entry)
    except OSError:
        # another process finished the same work first
        if not entry.is_dir():
            raise
