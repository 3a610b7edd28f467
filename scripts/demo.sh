#!/bin/sh
# From trained weights to proven and synthesized Verilog; every line printed with $ can be typed.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
model=models/lenet5_adder
build=build/lenet5_adder

show() {
    printf '\n$ %s\n' "$*"
    "$@"
}

show python $model/data.py --out build/digits
show hwgen compile $model/network.py:lenet5_adder --weights $model/weights.npz \
    --calib build/digits/calibration.npz -o $build
show hwgen verify $build --inputs build/digits/test.npz --count 20
show hwgen estimate $build
