#!/bin/sh
# Check that this machine has what pip cannot install; one sentence for each thing that is missing.
python=${PYTHON:-python3}
missing=0

complain() {
    echo "error: $1" >&2
    missing=1
}

if ! command -v "$python" >/dev/null; then
    complain "$python is not installed; install Python 3.11 or newer, e.g. 'sudo apt-get install python3 python3-venv'."
elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    found=$("$python" -c 'import platform; print(platform.python_version())')
    complain "$python is Python $found; hwgen needs 3.11 or newer: name one with 'make PYTHON=python3.12 ...'."
elif ! "$python" -c 'import ensurepip' 2>/dev/null && ! "$python" -m pip --version >/dev/null 2>&1; then
    complain "$python has neither ensurepip nor pip; install one, e.g. 'sudo apt-get install python3-venv'."
fi
for tool in g++ make perl; do
    command -v "$tool" >/dev/null || complain "$tool is not installed; install it, e.g. 'sudo apt-get install $tool'."
done
exit "$missing"
