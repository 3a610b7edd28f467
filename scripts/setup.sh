#!/bin/sh
# Install hwgen with the given extras into .venv, in the versions of constraints.txt:
#   scripts/setup.sh torch,data,sim,fpga
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
