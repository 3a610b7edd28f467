"""The registers of an AXI core: for the hardware, for its description and for software."""

from dataclasses import dataclass, fields

from hwgen_rtl.link_protocol import Counts, Identity

__all__ = [
    "ADDRESS_BITS",
    "CONSTANTS",
    "CONTROL",
    "COUNTERS",
    "COUNTERS_AT",
    "MAGIC",
    "MAP_VERSION",
    "REGISTERS",
    "RESET_BIT",
    "SCRATCH",
    "SNAPSHOT_BIT",
    "STATUS",
    "Register",
    "constants_of",
]

MAGIC = int.from_bytes(b"hwgn", "little")
MAP_VERSION = 1
ADDRESS_BITS = 12
"""4 KiB, the least that address editors give."""

RESET_BIT, SNAPSHOT_BIT = 0, 1


@dataclass(frozen=True, kw_only=True)
class Register:
    """One word of 32 bits.

    Parameters:
        offset : of its first byte
        access : "read" or "read and write"
        holds  : what it means
    """

    name: str
    offset: int
    access: str
    holds: str

    @property
    def writable(self) -> bool:
        """Whether a write to it is no error."""
        return self.access != "read"


def _read_only(offset: int, **held: str) -> tuple[Register, ...]:
    """Registers one after the other."""
    return tuple(
        Register(name=name, offset=offset + 4 * n, access="read", holds=text)
        for n, (name, text) in enumerate(held.items())
    )


CONSTANTS = _read_only(
    0x00,
    magic=f"{MAGIC:#x}, the letters hwgn",
    version=f"of this map: {MAP_VERSION}",
    build_low="first 64 bits of the configuration hash, lower half",
    build_high="upper half",
    i_bits="payload bits of a beat on s_axis",
    o_bits="payload bits of a beat on m_axis",
    i_beats="beats per image on s_axis",
    o_beats="beats per image on m_axis",
)
CONTROL = Register(
    name="control",
    offset=0x20,
    access="read and write",
    holds=f"bit {RESET_BIT}: reset the design, 1 until that is done; bit {SNAPSHOT_BIT}: copy the "
    "counters, 1 until that is done",
)
STATUS = Register(
    name="status",
    offset=0x24,
    access="read and write",
    holds="bit 0: a TLAST came inside an image; writing 1 clears it",
)
SCRATCH = Register(
    name="scratch", offset=0x28, access="read and write", holds="what was written last"
)
COUNTERS_AT = 0x40
COUNTERS = (*(field.name for field in fields(Counts)), "images_in")
"""The counters of the host link, and images whose last beat was taken."""


def _counter_words() -> tuple[Register, ...]:
    halves = {"low": "lower", "high": "upper"}
    return _read_only(
        COUNTERS_AT,
        **{
            f"{name}_{end}": f"{half} half of the copied count"
            for name in COUNTERS
            for end, half in halves.items()
        },
    )


REGISTERS = (*CONSTANTS, CONTROL, STATUS, SCRATCH, *_counter_words())


def constants_of(identity: Identity) -> dict[str, int]:
    """What the registers of `CONSTANTS` hold in a core for ``identity``."""
    low, high = identity.build & 0xFFFF_FFFF, identity.build >> 32
    fixed = {"magic": MAGIC, "version": MAP_VERSION, "build_low": low, "build_high": high}
    sizes = ("i_bits", "o_bits", "i_beats", "o_beats")
    return fixed | {name: getattr(identity, name) for name in sizes}
