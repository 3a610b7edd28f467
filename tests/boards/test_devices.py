"""Devices: figures that hold together, and refusals that name a neighbour."""

import pytest

from hwgen.errors import InputError
from hwgen_boards.devices import device_names, load_device


@pytest.mark.parametrize("name", device_names())
def test_every_device_is_complete(name):
    device = load_device(name)
    assert device.name == name
    assert device.ff == device.lut == 2 * device.carry
    assert device.source


def test_largest_ecp5_is_the_one_of_the_data_sheet():
    device = load_device("LFE5U-85F")
    assert (device.lut, device.bram, device.bram_bits, device.dsp) == (83640, 208, 18432, 156)


def test_unknown_device_names_the_nearest():
    with pytest.raises(InputError, match=r"^There is no device 'lfe5u85f'; did you mean lfe5u-85f"):
        load_device("lfe5u85f")


def test_unknown_device_without_neighbour_names_all():
    with pytest.raises(InputError, match=r"the devices are lfe5u-12f, lfe5u-25f"):
        load_device("xc7z020")
