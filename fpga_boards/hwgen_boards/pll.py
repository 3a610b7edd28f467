"""Settings of each family's phase-locked loop for the clock nearest to the wanted one."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from amaranth.hdl import Instance, IOPort, Value

from hwgen.errors import InputError

__all__ = ["PLLS", "Pll", "Settings", "ecp5_settings", "gowin_settings", "ice40_settings"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A loop that makes ``output_mhz`` from ``input_mhz``.

    Parameters:
        multiplier, divider : output over input frequency
        vco_divider         : oscillator over output frequency
    """

    input_mhz: float
    multiplier: int
    divider: int
    vco_divider: int

    @property
    def output_mhz(self) -> float:
        """The clock that leaves."""
        return self.input_mhz * self.multiplier / self.divider

    @property
    def vco_mhz(self) -> float:
        """What the oscillator runs at."""
        return self.output_mhz * self.vco_divider


def ecp5_settings(input_mhz: float) -> Iterator[Settings]:
    """All settings that FPGA-DS-02012 allows an EHXPLLL, its output fed back."""
    dividers = range(1, 129)
    for divider, multiplier in product(dividers, range(1, 81)):
        vco_dividers = _in_band(input_mhz * multiplier / divider, 400, 800, dividers)
        yield from _settings(input_mhz, multiplier, divider, vco_dividers, phase=(3.125, 400))


def ice40_settings(input_mhz: float) -> Iterator[Settings]:
    """All settings that FPGA-DS-02008 allows an SB_PLL40 with simple feedback.

    There the oscillator is what the phase detector multiplies, and DIVQ divides it afterwards.
    """
    for divr, divf, divq in product(range(16), range(128), range(1, 7)):
        divider = (divr + 1) << divq
        vco = input_mhz * (divf + 1) / (divr + 1)
        phase = input_mhz / (divr + 1)
        if 533 <= vco <= 1066 and 10 <= phase <= 133 and 16 <= vco / (1 << divq) <= 275:
            yield Settings(
                input_mhz=input_mhz, multiplier=divf + 1, divider=divider, vco_divider=1 << divq
            )


def gowin_settings(input_mhz: float) -> Iterator[Settings]:
    """All settings that DS117 and DS102 both allow an rPLL."""
    vco_dividers = (2, 4, 8, *range(16, 129, 16))
    for divider, multiplier in product(range(1, 65), range(1, 65)):
        output = input_mhz * multiplier / divider
        found = _in_band(output, 500, 1200, vco_dividers)
        yield from _settings(input_mhz, multiplier, divider, found, phase=(3, 400))


def _in_band(output: float, low: float, high: float, factors) -> list[int]:
    # the middle of the band first, where there is a choice
    middle = (low + high) / 2
    fitting = (factor for factor in factors if low <= output * factor <= high)
    return sorted(fitting, key=lambda factor: abs(output * factor - middle))[:1]


def _settings(
    input_mhz: float,
    multiplier: int,
    divider: int,
    vco_dividers: list[int],
    phase: tuple[float, float],
) -> Iterator[Settings]:
    for vco_divider in vco_dividers:
        if phase[0] <= input_mhz / divider <= phase[1]:
            yield Settings(
                input_mhz=input_mhz,
                multiplier=multiplier,
                divider=divider,
                vco_divider=vco_divider,
            )


@dataclass(frozen=True)
class Pll:
    """A family's loop: what it can make, and the cell.

    Parameters:
        settings : input MHz -> all settings
        create   : settings, input, output clock and lock signal -> the cell
        from_pad : whether the cell takes the pad itself, without an input buffer
    """

    settings: Callable[[float], Iterator[Settings]]
    create: Callable[..., Instance]
    from_pad: bool = False

    def nearest(self, input_mhz: float, wanted_mhz: float) -> Settings:
        """Settings nearest to the wanted clock; raises InputError where it is out of reach."""

        def error(settings: Settings) -> tuple[float, int]:
            return abs(settings.output_mhz - wanted_mhz), settings.divider

        found = min(self.settings(input_mhz), key=error)
        if abs(found.output_mhz - wanted_mhz) > 0.05 * wanted_mhz:
            raise InputError(
                f"The board's PLL cannot make {wanted_mhz:g} MHz from {input_mhz:g} MHz; "
                f"the nearest clock is {found.output_mhz:.4g} MHz: give --clock within its reach."
            )
        return found


def _ehxplll(settings: Settings, source: Value, clock: Value, locked: Value) -> Instance:
    return Instance(
        "EHXPLLL",
        p_CLKI_DIV=settings.divider,
        p_CLKFB_DIV=settings.multiplier,
        p_CLKOP_DIV=settings.vco_divider,
        p_CLKOP_ENABLE="ENABLED",
        p_CLKOP_CPHASE=settings.vco_divider - 1,
        p_FEEDBK_PATH="CLKOP",
        # nextpnr takes the input's frequency from the pin; the loop filter is that of ecppll
        a_FREQUENCY_PIN_CLKI=str(settings.input_mhz),
        a_FREQUENCY_PIN_CLKOP=str(settings.output_mhz),
        a_ICP_CURRENT="12",
        a_LPF_RESISTOR="8",
        a_MFG_ENABLE_FILTEROPAMP="1",
        a_MFG_GMCREF_SEL="2",
        i_CLKI=source,
        i_CLKFB=clock,
        i_RST=0,
        i_STDBY=0,
        i_PLLWAKESYNC=0,
        i_ENCLKOP=0,
        o_CLKOP=clock,
        o_LOCK=locked,
    )


# upper ends of the bands of the phase detector, MHz, whose index is FILTER_RANGE (icepll)
_FILTER_BANDS = (17, 26, 44, 66, 101)


def _sb_pll40(settings: Settings, source: IOPort, clock: Value, locked: Value) -> Instance:
    divr = settings.divider // settings.vco_divider - 1
    phase_mhz = settings.input_mhz / (divr + 1)
    return Instance(
        "SB_PLL40_PAD",
        p_FEEDBACK_PATH="SIMPLE",
        p_DIVR=divr,
        p_DIVF=settings.multiplier - 1,
        p_DIVQ=settings.vco_divider.bit_length() - 1,
        p_FILTER_RANGE=1 + sum(phase_mhz >= band for band in _FILTER_BANDS),
        i_PACKAGEPIN=source,
        i_RESETB=1,
        i_BYPASS=0,
        o_PLLOUTGLOBAL=clock,
        o_LOCK=locked,
    )


def _rpll(
    settings: Settings, source: Value, clock: Value, locked: Value, *, device: str
) -> Instance:
    return Instance(
        "rPLL",
        p_DEVICE=device,
        p_FCLKIN=f"{settings.input_mhz:g}",
        p_IDIV_SEL=settings.divider - 1,
        p_FBDIV_SEL=settings.multiplier - 1,
        p_ODIV_SEL=settings.vco_divider,
        p_DYN_IDIV_SEL="false",
        p_DYN_FBDIV_SEL="false",
        p_DYN_ODIV_SEL="false",
        p_CLKFB_SEL="internal",
        i_CLKIN=source,
        i_CLKFB=0,
        i_RESET=0,
        i_RESET_P=0,
        o_CLKOUT=clock,
        o_LOCK=locked,
    )


PLLS: Mapping[str, Pll] = {
    "ecp5": Pll(ecp5_settings, _ehxplll),
    # the pad that feeds the loop on all listed boards is taken by it, so no buffer may sit there
    "ice40": Pll(ice40_settings, _sb_pll40, from_pad=True),
    "gowin": Pll(gowin_settings, _rpll),
}
"""Families with a loop that boards use."""
