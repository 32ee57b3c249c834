# make demo   train DCGAN on the kittens and look at runs/demo/samples.gif
# make test   every test
# make test-cuda  the tests that need an NVIDIA card; say which CuPy: CUDA=cuda12x or cuda13x
# make lint   ruff and mypy
# make docs   the study pages, in docs/_build/html
# make bench  the standard benchmarks against PyTorch, about ten minutes; bench/RESULTS.md
# make bench-cuda  the card's tests, then its benchmarks, within nine minutes; OUT=folder
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CUDA ?= cuda13x
OUT ?= bench/results

.PHONY: demo docs test test-cuda lint bench bench-cuda clean

demo: $(VENV)/.installed
	rm -rf runs/demo
	$(BIN)/minigan train dcgan --data kittens --size 32 --width 32 --steps 2000 --out runs/demo

# A process for each core, with one thread in each: what is tested with more asks for them itself.
test: $(VENV)/.installed-test
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal

test-cuda: $(VENV)/.installed-test $(VENV)/.installed-$(CUDA)
	$(BIN)/python -m pytest tests/cuda -m cuda -n auto --maxprocesses 8

lint: $(VENV)/.installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.installed-docs
	$(BIN)/python -m sphinx -E -W --keep-going -n -q -b html docs docs/_build/html

bench: $(VENV)/.installed-bench
	$(BIN)/python -m bench all

bench-cuda: $(VENV)/.installed-test $(VENV)/.installed-bench $(VENV)/.installed-$(CUDA)
	$(BIN)/python -m bench all --device cuda --tests --out $(OUT)

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-%: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable ".[$*]"
	touch $@
