PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
JOBS   ?= 2
TORCH  := $(shell grep '^torch==' constraints.txt)
SELECT := $(if $(ONLY),--only $(ONLY))

.DEFAULT_GOAL := help
.PHONY: help env lint test notebooks smoke reproduce paper figures bench site clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

env: $(READY)  ## make the environment in .venv, once

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
		echo "Python 3.11, 3.12 or 3.13 is needed, '$(PYTHON)' is: $$($(PYTHON) --version 2>&1)"; \
		echo "name another, as in: make env PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[notebooks,tune,games,cluster,mujoco,test]"
	cp src/svnr/publish/lab.json $(VENV)/etc/jupyter/jupyter_server_config.d/svnr.json
	@touch $(READY)

lint: $(READY)  ## check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: lint  ## check everything and run the tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

notebooks: $(READY)  ## make the committed .ipynb from the .py (ONLY="09 11" for some)
	$(BIN)/svnr notebooks $(SELECT)

smoke: $(READY)  ## run every notebook at toy size
	$(BIN)/svnr reproduce --scale smoke --jobs $(JOBS) $(SELECT)

reproduce: $(READY)  ## run every notebook, draw every figure and table, in minutes
	$(BIN)/svnr reproduce --scale quick --jobs $(JOBS) $(SELECT)

paper: $(READY)  ## the same at the paper's own counts, resumable
	$(BIN)/svnr reproduce --scale paper --jobs $(JOBS) $(SELECT)

figures: paper  ## redraw figures/ from the committed results/

bench: $(READY)  ## time one update beside its arithmetic floor, and beside other packages
	$(BIN)/python benchmarks/update.py
	$(BIN)/python benchmarks/peers.py

$(VENV)/.site: $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[site]"
	@touch $@

site: $(VENV)/.site  ## make build/site: notebooks as committed, documents and reference as pages
	@rm -rf build/pages build/site && mkdir -p build/pages
	OMP_NUM_THREADS=1 $(BIN)/sphinx-build -W --keep-going -q -j $(JOBS) -c docs/site build/pages build/site
	SITE_MADE=1 $(BIN)/python -m pytest tests/test_site.py

clean:  ## delete what was made, but not results/ and figures/
	rm -rf build $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis src/*.egg-info
