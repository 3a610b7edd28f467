#!/bin/sh
# Run every check that executes none of the code, all of them even where one fails.
cd "$(dirname "$0")/.." || exit
PATH="$PWD/.venv/bin:$PATH"
failed=""

check() {
    "$@" || failed="$failed
  $*"
}

check ruff format --check .
check ruff check .
check pyright
check lint-imports --no-logo
check python scripts/wheel_names.py
check python scripts/function_lengths.py
if [ -n "$failed" ]; then
    echo "error: These checks failed:$failed" >&2
    exit 1
fi
