"""``hwgen doctor`` names what is missing and the command that repairs it."""

import json
from importlib import metadata

import pytest

from hwgen import doctor


@pytest.fixture
def installed(monkeypatch):
    """Pretend that exactly these packages, in these versions, are installed."""

    def pretend(**versions: str) -> dict[str, doctor.Finding]:
        def version(name: str) -> str:
            if name not in versions:
                raise metadata.PackageNotFoundError(name)
            return versions[name]

        monkeypatch.setattr(metadata, "version", version)
        return {finding.name: finding for finding in doctor.examine()}

    return pretend


def test_empty_path(hwgen):
    run = hwgen("doctor", PATH="")
    assert run.returncode == 1
    assert "To repair:" in run.stdout
    for tool in ("g++", "make", "perl"):
        assert f"  sudo apt-get install {tool}\n" in run.stdout
    assert run.stderr == ""


def test_empty_path_as_json(hwgen):
    run = hwgen("doctor", "--json", PATH="")
    document = json.loads(run.stdout)
    states = {finding["name"]: finding["state"] for finding in document["findings"]}
    assert run.returncode == 1
    assert document["healthy"] is False
    assert (states["g++"], states["iverilog"], states["numpy"]) == ("missing", "missing", "ok")


def test_packages_and_bounds_are_those_of_the_project(installed):
    found = installed(torch="2.13.0+cpu", amaranth="0.6.0", numpy="1.9.3")
    assert found["torch"].state == "ok"
    assert found["torch"].fix is None
    assert found["amaranth"].state == "too new"
    assert found["numpy"].state == "too old"
    assert found["numba"].state == "missing"
    assert found["pyosys"].needed
    assert not found["pytest"].needed
    assert not doctor.healthy(list(found.values()))


def test_fix_installs_a_version_within_the_bounds(installed):
    fix = installed()["cocotb"].fix
    assert fix is not None
    assert " -m pip install 'cocotb<2.2,>=2.1'" in fix


@pytest.mark.parametrize(
    ("text", "name", "version"),
    [
        ("Verilator 5.006 2023-01-22", "verilator", None),
        ("Verilator 5.036 2025-04-27", "verilator", "5.036"),
    ],
)
def test_own_verilator_serves_when_new_enough(installed, monkeypatch, text, name, version):
    real = doctor._ask
    number = text.split()[1]
    monkeypatch.setattr(doctor, "_ask", lambda c: number if c[0] == name else real(c))
    finding = installed()["verilator"]
    assert finding.found == version
    assert finding.state == ("ok" if version else "missing")


@pytest.mark.parametrize(
    ("found", "wanted", "state"),
    [
        ("5.036", ">=5.036", "ok"),
        ("5.36.0", ">=5.036", "ok"),
        ("5.006", ">=5.036", "too old"),
        ("0.5.10", ">=0.5.9,<0.6", "ok"),
        ("0.6", ">=0.5.9,<0.6", "too new"),
        (None, "", "missing"),
        ("12", "", "ok"),
    ],
)
def test_judges_versions_as_numbers(found: str | None, wanted: str, state: str):
    assert doctor._judge(found, wanted) == state


def test_every_extra_is_looked_at(installed):
    extras = metadata.metadata("hwgen").get_all("Provides-Extra") or []
    assert len(extras) > 4
    assert set(extras) == set(doctor.NEEDED_EXTRAS + doctor.OPTIONAL_EXTRAS) - {""}
    assert not installed()["matplotlib"].needed
