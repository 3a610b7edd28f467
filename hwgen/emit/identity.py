"""What a board must say it is to be the one a build describes."""

from hwgen.emit.manifest import Manifest
from hwgen_rtl.link_protocol import VERSION, Identity

__all__ = ["identity_of"]

_BUILD_DIGITS = 16


def identity_of(manifest: Manifest) -> Identity:
    """The identity of a build; its number is the first 64 bits of the configuration hash."""
    return Identity(
        version=VERSION,
        build=int(manifest.config_hash[:_BUILD_DIGITS], 16),
        i_bits=manifest.input.width,
        o_bits=manifest.output.width,
        i_beats=manifest.input.beats,
        o_beats=manifest.output.beats,
    )
