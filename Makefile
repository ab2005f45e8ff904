# Deep-Learning Notes, derived and run. Needs Python 3.11 to 3.13, make and git; everything else goes into .venv.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first suitable interpreter; `make PYTHON=/path/to/python3.12 …` overrides it.
SUITABLE = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python,\
	$(shell $(p) -c '$(SUITABLE)' >/dev/null 2>&1 && echo $(p))))
BIN := .venv/bin
READY := .venv/.ready
NOTEBOOKS ?= $(sort $(wildcard chapters/*.ipynb chapters/*/*.ipynb))

.PHONY: help book pdf test test-all mutants parity lint notebooks serve bench pages links binder binder-check lock clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

book: $(READY)  ## build the book strictly, from scratch, into _build/html
	@rm -rf _build
	@$(BIN)/jupyter-book build . -W -n --keep-going
	@echo "The book: file://$(CURDIR)/_build/html/index.html"

test: $(READY)  ## run everything that proves the book: unit and hygiene tests, every notebook
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest  # two workers: more threads would only wait for each other
	@echo "All tests pass: package, hygiene, notebooks."

# The libraries live apart: the book needs none of them.
PARITY := .venv/parity
parity: $(READY) $(PARITY)/.ready  ## run the libraries anew and compare their results with ours
	@PYTHONPATH=code $(PARITY)/bin/python tests/parity/record.py _build/parity.npz
	@$(PARITY)/bin/python tests/parity/losses.py _build/losses.npz
	@$(PARITY)/bin/python tests/parity/means_and_processes.py _build/means_and_processes.npz
	@PARITY_REFERENCES=_build/parity.npz PARITY_LOSSES=_build/losses.npz PARITY_MEANS_AND_PROCESSES=_build/means_and_processes.npz \
		$(BIN)/python -m pytest -o addopts="" -q -n 2 tests/test_parity*.py
	@echo "Rules, losses and statistics are those of the libraries, now and as stored in tests/parity/*.npz."

$(PARITY)/.ready: tests/parity/requirements.txt $(READY)
	@echo "Making $(PARITY) with PyTorch, Optax, Keras and scikit-learn, once (one or two minutes):"
	@$(PYTHON) -m venv --clear $(PARITY)
	@$(PARITY)/bin/pip install --disable-pip-version-check --progress-bar off -r $< \
		| awk '/^(Collecting|Installing)/ {print "  " $$1 " " $$2} {fflush()}'
	@touch $@

lint: $(READY)  ## check the style of the Python files
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet . && echo "The style is right."

notebooks: $(READY)  ## execute the notebooks in place (NOTEBOOKS="a.ipynb b.ipynb" for some)
	@set -eo pipefail; for notebook in $(NOTEBOOKS); do \
		SECONDS=0; printf '  %s' "$$notebook"; \
		$(BIN)/jupyter nbconvert --log-level=ERROR --to notebook --execute --inplace \
			--ExecutePreprocessor.record_timing=False "$$notebook" 2> >(grep -v 'Kernel is running over TCP' >&2 || true); \
		$(BIN)/jupyter nbconvert --log-level=ERROR --to notebook --inplace --coalesce-streams "$$notebook"; \
		$(BIN)/nb-clean clean -o -c --preserve-cell-metadata-field tags --preserve-cell-metadata-field mystnb \
			--preserve-cell-metadata-field jupyter "$$notebook"; \
		echo " ($$SECONDS s)"; \
	done
	@echo "Executed in place; see git diff --stat."

pdf: $(READY)  ## the whole book as one PDF beside the pages (after make book; needs Chromium)
	@$(BIN)/python extensions/pdf.py

serve: $(READY)  ## show the built book at http://127.0.0.1:8000
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 8000

bench: $(READY) $(PARITY)/.ready  ## measure on an idle machine and write benchmarks/*.json (ONLY=optimizers, QUICK=1)
	@$(BIN)/python benchmarks/run.py $(ONLY) $(if $(QUICK),--quick)

pages: $(READY)  ## check the built pages in headless Chromium (after make book)
	@$(BIN)/python -m pytest -o addopts="" -q -rP --no-header --show-capture=stdout tests/check_pages.py tests/check_browser.py \
		tests/check_explorer.py tests/check_explorer_more.py

binder: $(READY)  ## check that Binder would accept this repository (no docker needed)
	@mkdir -p _build
	@$(BIN)/jupyter-repo2docker --no-build --debug . > _build/binder.log 2>&1 \
		|| { cat _build/binder.log; echo "repo2docker refuses this repository"; exit 1; }
	@grep -q 'binder/postBuild' _build/binder.log || { echo "binder/postBuild is not in the Dockerfile: _build/binder.log"; exit 1; }
	@echo "Binder accepts the repository: _build/binder.log"

binder-check: $(READY)  ## run every notebook in JupyterLab, in an environment made from binder/ (NOTEBOOKS=… for some)
	@$(if $(filter command line environment,$(origin NOTEBOOKS)),NOTEBOOKS="$(NOTEBOOKS)") $(BIN)/python -m pytest -o addopts="" -q -rP \
		--no-header --show-capture=stdout tests/check_binder.py

# nox makes an environment for each session under .venv/nox; the first time takes minutes.
test-all: $(READY)  ## the suite on Python 3.11 to 3.13, lowest and newest libraries, other machines (SESSIONS="lowest newest")
	@$(BIN)/nox -f tests/noxfile.py $(if $(SESSIONS),-s $(SESSIONS))

# Cosmic Ray lives apart, as the libraries do.
MUTANTS := .venv/mutants
mutants: $(READY)  ## change package and notebooks in small ways and list what no test sees (ONLY="adam rules" for some)
	@test -x $(MUTANTS)/bin/cosmic-ray || { $(PYTHON) -m venv $(MUTANTS) && \
		$(MUTANTS)/bin/pip install -q --disable-pip-version-check cosmic-ray==8.7.0; }
	@$(MUTANTS)/bin/python tests/mutants.py $(ONLY)

links: $(READY)  ## check the links to other sites (needs the network)
	@$(BIN)/jupyter-book build . -n --keep-going --builder linkcheck && echo "Links: _build/linkcheck/output.txt"

# uv resolves for all supported Pythons and platforms at once; it lives apart so that it is no part of the book's environment.
LOCK = .venv/lock/bin/uv pip compile pyproject.toml --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock" --quiet
lock:  ## pin again what pyproject.toml asks for: requirements.txt, binder/requirements.txt (UPGRADE=1 for newer versions)
	@test -x .venv/lock/bin/uv || { $(PYTHON) -m venv .venv/lock && .venv/lock/bin/pip install -q --disable-pip-version-check uv; }
	@$(LOCK) $(if $(UPGRADE),--upgrade) --extra book --extra test --extra check --extra binder --extra fast -o requirements.txt
	@$(LOCK) --extra binder --extra fast -c requirements.txt -o binder/requirements.txt
	@! grep -nE '://|^-' requirements.txt binder/requirements.txt
	@wc -l requirements.txt binder/requirements.txt

clean:  ## remove what was built (not the environment: rm -r .venv)
	@rm -rf _build .pytest_cache .ruff_cache .hypothesis
	@find chapters code tests extensions benchmarks -name __pycache__ -prune -exec rm -rf {} + \
		-o -name .ipynb_checkpoints -prune -exec rm -rf {} +

$(READY): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(SUITABLE)' || { \
		echo "Python 3.11, 3.12 or 3.13 is needed$(if $(PYTHON), and $(PYTHON) is not one). Try: make PYTHON=/path/to/python3.12"; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version) and $$(grep -c == requirements.txt) pinned packages, once (about a minute):"
	@$(PYTHON) -m venv --clear .venv
	@set -eo pipefail; $(BIN)/pip install --disable-pip-version-check --progress-bar off --require-hashes -r requirements.txt \
		| awk '/^(Collecting|Requirement)/ {if (++n % 20 == 0) printf "  %d packages\n", n} /^Installing/ {print "  installing …"} {fflush()}'
	@$(BIN)/pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	@touch $@
