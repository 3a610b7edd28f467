"""Exit codes, errors as sentences, and output for programs."""

import json
from pathlib import Path

import pytest

from hwgen import __version__, cli, doctor
from hwgen.errors import CheckFailed, InputError, ToolFailed, ToolMissing

COMPILE = ("compile", "net.py:net", "--calib", "x.npz", "-o", "build")


def raising(error: BaseException):
    def examine():
        raise error

    return examine


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (InputError("The file is empty."), 2, "error: The file is empty.\n"),
        (ToolMissing("g++ is missing."), 2, "error: g++ is missing.\n"),
        (CheckFailed("Not equal."), 1, "error: Not equal.\n"),
        (ToolFailed("yosys", "ERROR: no"), 1, "error: yosys failed; its last lines were:\n"),
        (ModuleNotFoundError(name="torch.nn"), 2, "error: torch is not installed; 'hwgen doctor'"),
        (ModuleNotFoundError(name="hwgen.lost"), 70, "error: This is a bug in hwgen"),
        (KeyError("lost"), 70, "error: This is a bug in hwgen"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_error_becomes_a_sentence_and_a_code(
    exit_code, monkeypatch, capsys, error: BaseException, code: int, sentence: str
):
    monkeypatch.setattr(doctor, "examine", raising(error))
    assert exit_code("doctor") == code
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert captured.out == ""
    assert ("Traceback" in captured.err) == (code == 70)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["frobnicate"], "No such command 'frobnicate'"),
        (["compile", "net.py:net"], "Missing option"),
        (["doctor", "--jason"], "--json"),
        ([*COMPILE, "--mean", "0.1;0.2"], "'0.1;0.2' is not numbers with commas between"),
        (["verify", "build", "--inputs", "x.npz", "--simulator", "vcs"], "'vcs' is not one of"),
        (["run", "build", "--inputs", "x.npz", "-o", "y.npz", "--engine", "gpu"], "'gpu'"),
    ],
)
def test_usage_error_exits_2(exit_code, capsys, arguments: list[str], sentence: str):
    assert exit_code(*arguments) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["compile", "--help"]])
def test_asked_for_text_exits_0(exit_code, capsys, arguments: list[str]):
    assert exit_code(*arguments) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert __version__ in captured.out or "Usage: hwgen" in captured.out


def test_unknown_config_key_exits_2(hwgen, tmp_path: Path):
    config = tmp_path / "build.toml"
    config.write_text("bit = 8\n")
    run = hwgen(*COMPILE, "--config", str(config))
    assert run.returncode == 2
    assert run.stderr == f"error: {config}: unknown key 'bit'; did you mean 'bits'?\n"


def test_damaged_plugin_spares_the_other_commands(exit_code, monkeypatch, capsys):
    broken = cli.EntryPoint("broken", "hwgen_absent.commands:broken", cli.GROUP)
    monkeypatch.setattr(cli, "entry_points", lambda group: [broken])
    assert exit_code("--help") == 0
    assert "Not usable: its package cannot be loaded." in capsys.readouterr().out
    assert exit_code("broken", "build", "--help") == 2
    sentence = "error: 'hwgen broken' cannot be loaded from hwgen_absent.commands:broken"
    assert capsys.readouterr().err.startswith(sentence)


def test_json_is_json(exit_code, capsys):
    exit_code("doctor", "--json")
    document = json.loads(capsys.readouterr().out)
    assert document.keys() == {"healthy", "findings"}


def test_table_is_plain_text_without_a_terminal(capsys):
    cli.print_table(
        [{"name": "conv1", "energy_pj": None}, {"name": "[red]"}], ["name", "energy_pj"]
    )
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == ["name   energy pj", "conv1  -", "[red]  -"]


def test_progress_is_one_line_a_stage_without_a_terminal(capsys):
    with cli.progress() as report:
        for fraction in (0.0, 0.5, 1.0):
            report("quantize", fraction)
        report("emit", 0.0)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "quantize ...\nemit ...\n")
