# The same targets serve a laptop and CI. PYTHON chooses the interpreter of the virtual environment.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# Where ferplus.zip, smiles.zip, london.zip, wild.zip and clips/ are, for eval, card and bench.
DATA ?= ../shared/data
# The interpreter of an environment with the peer `fer`, for bench; without, it is left out.
PEER ?=

# How long fuzz takes for each target, in seconds, or how many inputs if RUNS is not 0; how much video soak labels, in
# minutes.
SECONDS ?= 600
RUNS ?= 0
SEED ?= 0
MINUTES ?= 120

.PHONY: web web-check setup demo test test-fast check fmt lint types arch goldens eval card bench wheel container fuzz soak audit sbom docs

$(VENV)/base: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -e .
	@touch $@

$(VENV)/dev: $(VENV)/base
	$(BIN)/pip install -q -e '.[dev]'
	@touch $@

setup: $(VENV)/dev

demo: $(VENV)/base  ## Install, then label the sample clip.
	$(BIN)/livemood video samples/faces.mp4 --out out/faces-moods.mp4 --records out/faces-moods.jsonl --force

WEB = livemood/web
$(WEB)/node_modules/.package-lock.json: $(WEB)/package-lock.json
	npm ci --prefix $(WEB) --no-fund --no-audit --loglevel=error

web: $(WEB)/node_modules/.package-lock.json  ## Build the browser page: livemood/web/static.
	node $(WEB)/build.mjs

web-check: $(WEB)/node_modules/.package-lock.json  ## Check the page's types, and that what is committed is what is built.
	npx --prefix $(WEB) tsc --project $(WEB)
	node $(WEB)/build.mjs $(CURDIR)/out/web
	diff -r $(WEB)/static out/web

test: $(VENV)/dev $(WEB)/node_modules/.package-lock.json  ## Install with the test tools, then run every test, on all cores.
	$(BIN)/python -m pytest -n auto

test-fast: $(VENV)/dev  ## Run the unit tests: under a minute on two cores.
	$(BIN)/python -m pytest -n auto tests/unit

check: lint types arch test

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

fmt: $(VENV)/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: $(VENV)/dev
	$(BIN)/mypy

arch: $(VENV)/dev
	$(BIN)/lint-imports

eval: $(VENV)/dev  ## Print every figure the README and the model card claim.
	$(BIN)/python -m tests.tools.evaluation $(DATA)
	$(BIN)/python -m livemood.evaluation.wild $(DATA)
	$(BIN)/python -m tests.tools.resting_faces $(DATA)
	$(BIN)/python -m tests.tools.baseline $(DATA)
	$(BIN)/livemood evaluate default $(DATA)/ferplus.zip --smiles $(DATA)/smiles.zip --people $(DATA)/london.zip --stress

card: $(VENV)/dev  ## Measure the shipped model again and write its card.
	$(BIN)/livemood evaluate default $(DATA)/ferplus.zip --smiles $(DATA)/smiles.zip --people $(DATA)/london.zip --stress --card --force

bench: $(VENV)/dev  ## Time a video from file to file and stage by stage, then single calls and starts.
	$(BIN)/livemood bench
	$(BIN)/python -m tests.tools.benchmark
	$(BIN)/python -m tests.tools.collections_benchmark jobs $(DATA)
	$(BIN)/python -m tests.tools.collections_benchmark small $(DATA)
	if [ -n "$(PEER)" ]; then $(BIN)/python -m tests.tools.collections_benchmark peer $(DATA) $(PEER); fi

goldens: $(VENV)/dev
	$(BIN)/python samples/draw_faces.py --out samples

wheel: $(VENV)/dev
	$(BIN)/pip wheel -q --no-deps --wheel-dir dist .

$(VENV)/trust: $(VENV)/dev
	$(BIN)/pip install -q -e '.[dev,trust]'
	@touch $@

fuzz: $(VENV)/trust  ## Feed broken files and words to every reader, SECONDS each; out/fuzz-* is what broke one.
	$(BIN)/python -m tests.tools.fuzz --seconds $(SECONDS) --runs $(RUNS) --seed $(SEED)

soak: $(VENV)/dev  ## Label MINUTES of looped video and watch memory and open files.
	$(BIN)/python -u -m tests.tools.soak --minutes $(MINUTES)

container: $(VENV)/dev  ## Run the lines of the Dockerfile in a fresh environment, and livemood in that.
	$(BIN)/python -m tests.tools.container

audit: $(VENV)/trust  ## Ask the package index about known holes in what is installed.
	$(BIN)/python -m tests.tools.audit

sbom: $(VENV)/trust  ## List everything that is installed, with versions and licences.
	mkdir -p out
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-file out/sbom.cdx.json $(BIN)/python

docs: $(VENV)/dev  ## Build the pages of docs/ into out/site; a link that leads nowhere ends it.
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
