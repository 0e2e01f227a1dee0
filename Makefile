# make demo             install into .venv and compare all methods on a synthetic stream
# make demo DATA=DIR    the same on the MovieTweetings folder DIR (ratings.dat, movies.dat)
# make test             install into .venv and run the tests
# make lint             style and types
# make tables           recompute the paper's tables 1 and 2
# make clean            remove what the others made

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
OUT ?= results/demo

.PHONY: demo test lint tables clean

$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) "$$(grep '^torch==' constraints.txt)"
	$(PIP) --editable '.[dev]'
	touch $@

ifdef DATA
demo: $(INSTALLED)
	$(BIN)/hybridhash compare $(DATA) --format movietweetings --budget 10% --seeds 3 --out $(OUT)
else
demo: $(INSTALLED)
	mkdir -p $(OUT)
	$(BIN)/hybridhash generate $(OUT)/stream.parquet --rows 100000
	$(BIN)/hybridhash compare $(OUT)/stream.parquet --experiment examples/synthetic.toml --out $(OUT)
endif

test: $(INSTALLED)
	$(BIN)/python -m pytest -n 2

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

tables: $(INSTALLED)
	$(BIN)/python paper/table1.py
	$(BIN)/python paper/table2.py

clean:
	rm -rf $(VENV) results build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
