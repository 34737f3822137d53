# The verbs of juntos_eval, one line each: what they set in motion stands in juntos_eval/pipeline.
#   make report                     the main job on synthetic households
#   make report DATA_RAW=../data    on real ones: a folder <survey>/<year>/<file>, or a TOML that names the files
#   make test                       the tests
# Variables: PYTHON (3.11 or later), DATA_RAW, VERBOSE=1, CI=true (quiet), JOBS (test processes), FAMILY, SIZES and BASE (bench).

PYTHON ?= python3
JOBS   ?= 2
BIN    := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
CHOICES = $(if $(DATA_RAW),--data-raw "$(DATA_RAW)") $(if $(VERBOSE),--verbose)
PYTEST := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest $(if $(CI),--quiet) -n $(JOBS) --dist loadfile

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help report estimates data test test-all check notebooks bench bench-compare audit lock clean python runtime development

help: ## what can be made (this list)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

report: runtime ## raw files to reports/index.html; DATA_RAW=<folder or TOML> for real data
	@$(BIN)/juntos-eval report $(CHOICES)

estimates: runtime ## as far as the records of all estimates
	@$(BIN)/juntos-eval estimates $(CHOICES)

data: runtime ## as far as the clean tables
	@$(BIN)/juntos-eval clean $(CHOICES)

test: development ## every test but the slow ones
	@$(PYTEST) -m "not slow"

test-all: development ## every test, Monte Carlo runs included
	@$(PYTEST)

check: development ## format, lint, types, layers, security, architecture, locks
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/bandit --quiet --recursive --configfile pyproject.toml juntos_eval
	@$(BIN)/python -m pytest --quiet tests/architecture tests/security

notebooks: development ## run each notebook into reports/notebooks
	@mkdir -p reports/notebooks
	@for notebook in $(wildcard notebooks/*.py); do $(BIN)/jupytext --quiet --to ipynb --set-kernel python3 --execute \
	  --run-path . --output "reports/notebooks/$$(basename "$$notebook" .py).ipynb" "$$notebook" || exit 1; done

bench: development ## time and measure against the peers; FAMILY=did, SIZES=10k,100k
	@$(BIN)/python -m benchmarks $(if $(FAMILY),--family $(FAMILY)) $(if $(SIZES),--sizes $(SIZES))

bench-compare: development ## the same, beside an earlier run: BASE=a CSV or a folder of them (default: the stored run)
	@$(BIN)/python -m benchmarks --base $(if $(BASE),"$(BASE)",benchmarks/results) \
	  $(if $(FAMILY),--family $(FAMILY)) $(if $(SIZES),--sizes $(SIZES))

audit: development ## known vulnerabilities of the locked packages (asks the package index)
	@$(BIN)/pip-audit --require-hashes --disable-pip --requirement requirements-dev.lock

lock: development ## resolve pyproject.toml anew into both lock files (asks the package index)
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	  --group build pyproject.toml --output-file requirements.lock
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	  --group build --extra dev --constraint requirements.lock pyproject.toml --output-file requirements-dev.lock

clean: ## what was built: clean data, reports of synthetic runs, caches (not raw data, not reports/real, not .venv)
	@rm -rf build dist .pytask .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@rm -rf data_clean/*/ reports/synthetic-data reports/notebooks reports/index.html
	@find juntos_eval tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# ------------------------------------------------------------------------------ the environment
python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "juntos_eval needs Python 3.11 or later; $(PYTHON) is missing or older. If yours has another name: make PYTHON=..." >&2; exit 1; }

runtime: python
	@$(PYTHON) .ci/environment.py report

development: python
	@$(PYTHON) .ci/environment.py test
