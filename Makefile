# The verbs of juntos_eval, one line each: what they set in motion stands in juntos_eval/pipeline.
#   make report                           the main job on synthetic households
#   make report DATA_RAW=../data          the same on real ones: a folder <survey>/<year>/<file>, or a TOML that names the files
#   make test                             the tests
# Variables: PYTHON (3.11 or later), DATA_RAW, VERBOSE=1, CI=true (quiet), JOBS (test processes).

PYTHON ?= python3
JOBS   ?= 2
VENV   := .venv
BIN    := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PIP    := $(BIN)/python -m pip --disable-pip-version-check $(if $(VERBOSE),,--quiet) install --require-hashes --no-deps --only-binary :all:
PYTEST := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest $(if $(CI),--quiet) -n $(JOBS)

# A stamp is written when its installation has ended well, so an interrupted one is taken up again.
ENVIRONMENT := $(VENV)/.environment
RUNTIME     := $(VENV)/.runtime
DEVELOPMENT := $(VENV)/.development

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help report test test-all check notebooks bench audit lock clean

help: ## what can be made (this list)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

report: $(RUNTIME) ## raw files to reports/index.html; DATA_RAW=<folder or TOML> for real data
	@$(BIN)/juntos-eval report $(if $(DATA_RAW),--data-raw "$(DATA_RAW)") $(if $(VERBOSE),--verbose)

test: $(DEVELOPMENT) ## every test but the slow ones
	@$(PYTEST) -m "not slow"

test-all: $(DEVELOPMENT) ## every test, Monte Carlo runs included
	@$(PYTEST)

check: $(DEVELOPMENT) ## format, lint, types, layers, security, architecture, locks
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/bandit --quiet --recursive --configfile pyproject.toml juntos_eval
	@$(BIN)/python -m pytest --quiet tests/architecture tests/security

notebooks: $(DEVELOPMENT) $(patsubst notebooks/%.py,reports/notebooks/%.ipynb,$(wildcard notebooks/*.py)) ## run each notebook into reports/notebooks

reports/notebooks/%.ipynb: notebooks/%.py | $(DEVELOPMENT)
	@mkdir -p $(@D)
	@$(BIN)/jupytext --quiet --to ipynb --execute --output $@ $<

bench: $(DEVELOPMENT) ## time and measure each script of benchmarks/
	@for script in benchmarks/*.py; do echo "$$script" && $(BIN)/python "$$script" || exit 1; done

audit: $(DEVELOPMENT) ## known vulnerabilities of the locked packages (asks the package index)
	@$(BIN)/pip-audit --require-hashes --disable-pip --requirement requirements-dev.lock

lock: $(DEVELOPMENT) ## resolve pyproject.toml anew into both lock files (asks the package index)
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	  --group build pyproject.toml --output-file requirements.lock
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	  --group build --extra dev --constraint requirements.lock pyproject.toml --output-file requirements-dev.lock

clean: ## what was built: clean data, reports of synthetic runs, caches (not raw data, not reports/real, not .venv)
	@rm -rf build dist .pytask .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@rm -rf data_clean/*/ reports/synthetic-data reports/notebooks reports/index.html
	@find juntos_eval tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# ------------------------------------------------------------------------------ the environment
$(ENVIRONMENT):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "juntos_eval needs Python 3.11 or later, called $(PYTHON). If it has another name: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "$(PYTHON) comes without its venv module. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(RUNTIME): requirements.lock pyproject.toml $(ENVIRONMENT)
	@echo "Installing what the report needs into $(VENV) (once; a minute or more)"
	@$(PIP) --requirement requirements.lock
	@$(BIN)/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEVELOPMENT): requirements-dev.lock $(RUNTIME)
	@echo "Installing what tests and checks need into $(VENV) (once; a minute or more)"
	@$(PIP) --requirement requirements-dev.lock
	@touch $@
