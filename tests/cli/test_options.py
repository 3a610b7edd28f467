"""Options of ``compile`` from the command line and from ``build.toml``."""

from pathlib import Path

import pytest

from hwgen.errors import InputError
from hwgen.options import CompileOptions, load_options


def write(folder: Path, text: str) -> Path:
    path = folder / "build.toml"
    path.write_text(text)
    return path


class TestLoadOptions:
    def test_defaults(self):
        assert load_options(None, bits=None, device=None) == CompileOptions()

    def test_file_then_command_line(self, tmp_path: Path):
        config = write(tmp_path, 'bits = 6\ntarget_cycles = 500\nmean = [0.5]\nweights = "w.npz"')
        options = load_options(config, bits=4)
        assert (options.bits, options.target_cycles, options.mean) == (4, 500, (0.5,))
        assert options.weights == tmp_path / "w.npz"

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("bitts = 8", r"build\.toml: unknown key 'bitts'; did you mean 'bits'\?"),
            ("target-cycles = 8", r"unknown key 'target-cycles'; did you mean 'target_cycles'\?"),
            ("zzz = 8", r"unknown key 'zzz'; did you mean '\w+'\?"),
            ("bits = 1", r"build\.toml: bits = 1: Input should be greater than or equal to 2\."),
            (
                'calibration = "max"',
                r"calibration = 'max': Input should be 'output', 'mse' or 'percentile'",
            ),
            ("std = [0.0]", r"std = \[0\.0\]: std must be positive|std must be positive numbers"),
            ("std = []", r"std must be positive numbers"),
            ("bits = ", r"build\.toml is not a TOML file: "),
        ],
    )
    def test_refuses(self, tmp_path: Path, text: str, sentence: str):
        with pytest.raises(InputError, match=sentence):
            load_options(write(tmp_path, text))

    def test_refuses_a_missing_file(self, tmp_path: Path):
        with pytest.raises(InputError, match=r"build\.toml cannot be read: No such file"):
            load_options(tmp_path / "build.toml")
