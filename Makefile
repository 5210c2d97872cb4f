# `make run` starts the product, `make test` runs its tests; both set up all they need.
# Variables: PORT, HOST, DATA_DIR, TRITON_PORT, TRITON_URL, WEB_PROCESSES, DATABASE_URL (see README.md).
PY := .venv/bin/python
APPS := modelmanager models_registry usage monitoring
HEAVY := triton or browser

.DEFAULT_GOAL := help
.PHONY: help run triton demo-traffic test test-fast lint format schema messages soak setup setup-dev triton-install clean

help:
	@echo "make run        start everything: a real Triton, web server, worker, demo set (Ctrl-C ends it)"
	@echo "make test       the whole test suite on the embedded default"
	@echo "make test-fast  what to run on every change: no real Triton, no browser, nothing slow"
	@echo "make triton     start the embedded Triton again after it died"
	@echo "make demo-traffic  several systems use the models of a running \`make run\`; SECONDS=60, HISTORY_DAYS=14"
	@echo "make lint | format | schema | messages | soak | clean"

setup:
	@scripts/setup run

setup-dev:
	@scripts/setup dev

run: setup
	@$(PY) -m modelmanager.embedded --end-with-parent

triton:
	@$(PY) -m modelmanager.embedded triton

demo-traffic: setup
	@PYTHONPATH=clients/python/src $(PY) -m modelmanager.embedded.traffic

triton-install: setup-dev
	@$(PY) -m modelmanager.embedded install-triton

test: setup-dev triton-install
	@$(PY) -m pytest -n 2 --dist worksteal -q -m "not ($(HEAVY)) and not mariadb"
	@$(PY) -m pytest -n 2 --dist loadfile -m "($(HEAVY)) and not mariadb"

test-fast: setup-dev
	@$(PY) -m pytest -n 2 --dist worksteal -q -m "not ($(HEAVY)) and not mariadb and not slow and not soak"

lint: setup-dev
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy --config-file clients/python/pyproject.toml clients/python/src
	@$(PY) -m mypy $(APPS) tests $(if $(wildcard benchmarks/*.py),benchmarks)
	@find templates */templates -name '*.html' 2>/dev/null | xargs -r .venv/bin/djade --check --target-version 5.2

format: setup-dev
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

schema: setup-dev
	@$(PY) manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

# Needs GNU gettext. Texts of packages that ship no Korean are kept by modelmanager/package_texts.py.
messages: setup-dev
	@$(PY) manage.py makemessages --locale ko --no-obsolete --no-location --ignore .venv --ignore var --ignore tests
	@$(PY) manage.py compilemessages --ignore .venv

# Tests marked `soak` run in a short form always, and for long with SOAK=1.
soak: setup-dev triton-install
	@SOAK=1 $(PY) -m pytest -m soak

clean:
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
