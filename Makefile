# make demo             install into .venv and compare all methods on a synthetic stream
# make demo DATA=DIR    the same on the MovieTweetings folder DIR (ratings.dat, movies.dat)
# make test             install into .venv and run the tests
# make lint             style and types
# make sanitize         the kernel tests on kernels built with AddressSanitizer and UBSan (in build/sanitize)
# make mutants          whether the tests notice changes of the source (hours; ROOMS="packing" for some of the rooms)
# make bench            measure against other libraries, fetched into build/peers (10 to 15 minutes; BENCH=--quick: one)
# make bench-quality    quality at equal bytes beside the methods of other papers (under an hour on two cores; resumable)
# make bench-quality OF=shapes       our methods on streams of other shapes (ten minutes; resumable)
# make bench-quality OF=tails        which tail of the hybrid table loses least (an hour or two; resumable)
# make bench-quality OF=calibration  measure the constants of the planner on validation slices (minutes; resumable)
# make bench-serving    latency of rows and of look-ups without torch, and whether it grows with the dictionary (minutes)
# make paper            reproduce the paper's experiments (an hour and a half on two cores; QUICK=1: under ten minutes)
# make paper DATA=DIR   with the real data sets in DIR; ONLY="table1 figure4" runs some of the studies
# make clean            remove what the others made

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
OUT ?= results/demo

.PHONY: demo test lint sanitize mutants bench bench-serving bench-quality paper clean

$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) "$$(grep '^torch==' constraints.txt)"
	$(PIP) --config-settings 'build-dir=build/{wheel_tag}' --editable '.[dev]'
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
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

SANITIZED := build/sanitize

# Python's -S leaves the editable install out, whose kernels are the plain ones.
sanitize: $(INSTALLED)
	$(PIP) --no-deps --upgrade --target $(SANITIZED) . \
		-C cmake.define.HYBRIDHASH_SANITIZE=ON -C build-dir=$(SANITIZED)-objects
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 \
		LD_PRELOAD="$(foreach name,asan ubsan stdc++,$(shell g++ -print-file-name=lib$(name).so))" \
		PYTHONPATH=$(SANITIZED):$$($(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))") \
		$(BIN)/python -S -m pytest -p no:cacheprovider \
		tests/kernels tests/optim tests/hashing/test_exact.py tests/hashing/test_native.py \
		tests/data/test_encode_native.py tests/tables/test_shipped.py

ROOMS ?= packing spec hashing tables planner

mutants: $(INSTALLED)
	$(PIP) --upgrade --target build/cosmic-ray cosmic-ray==8.7.0
	for room in $(ROOMS); do PYTHONPATH=build/cosmic-ray $(BIN)/python tests/mutation/mutate.py $$room \
		--native $$($(BIN)/python -c "import hybridhash._native as native; print(native.__file__)"); done

PEERS := build/peers/.installed

bench: $(INSTALLED) $(PEERS)
	$(BIN)/python -m benchmarks $(BENCH)

SERVING := build/serving

bench-serving: $(INSTALLED)
	mkdir -p $(SERVING)
	$(BIN)/hybridhash generate $(SERVING)/stream.parquet --rows 100000
	$(BIN)/hybridhash train $(SERVING)/stream.parquet --label clicked --categorical user_id,ad_id,site \
		--numeric price,age --list tags --time ts --method auto --budget 10% --learning-rate 0.05 --epochs 1 \
		--out $(SERVING)/model.hh
	$(BIN)/python -m benchmarks.serving $(SERVING)/model.hh $(SERVING)/stream.parquet

bench-quality: $(INSTALLED)
	$(BIN)/python -m benchmarks.quality$(addprefix .,$(OF)) $(if $(ONLY),--only $(ONLY)) $(BENCH)

# Without their dependencies, of which TorchRec pins an older torchmetrics; these suffice for what is measured.
$(PEERS): $(INSTALLED)
	$(PIP) --no-deps --upgrade --target $(@D) fbgemm-gpu-cpu==1.8.0 torchrec==1.8.0 pyre-extensions==0.0.32 \
		typing-inspect==0.9.0 tensordict==0.15.3 pyvers==0.2.3 importlib-metadata==10.2.0 zipp==4.1.2 \
		orjson==3.13.0 tqdm==4.70.1 iopath==0.1.10 portalocker==4.4.2 deepctr-torch==0.3.0
	touch $@

paper: $(INSTALLED)
	$(BIN)/python -m paper $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY)) $(if $(DATA),--data $(DATA))

clean:
	rm -rf $(VENV) results paper/results/work build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
