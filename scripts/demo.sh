#!/bin/sh
# From trained weights to proven and synthesized Verilog; every line printed with $ can be typed.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
model=models/lenet5_adder
build=build/lenet5_adder
mkdir -p build

show() {
    printf '\n$ %s\n' "$*"
    "$@"
}

show python -m models.lenet5_adder.train --images build/digits
show hwgen compile $model/network.py:lenet5_adder --weights $model/weights.npz \
    --calib build/digits/calibration.npz -o $build --target-cycles 3200 --device lfe5u-85f

# synthesis takes the second core while the first one simulates
printf '\n$ hwgen synth %s --device lfe5u-85f &\n' $build
hwgen synth $build --device lfe5u-85f >build/synth.txt 2>&1 &
synth=$!
trap 'kill $synth 2>/dev/null || true' EXIT
show hwgen verify $build --inputs build/digits/test.npz
printf '\nwaiting for synthesis ...\n' >&2
wait $synth || { cat build/synth.txt >&2; exit 1; }
trap - EXIT
show hwgen report $build
