# Every target is one or two plain commands; `make help` shows them for machines without make.

PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$name"; break; }; done)
VENV_PYTHON = .venv/bin/python
EMBEDDED = $(VENV_PYTHON) -m creditplatform.embedded
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help python-found environment environment-dev run stop test lint benchmark fuzz fuzz-api production-secrets clean clean-data

help:
	@echo 'make run [PORT=8123]     start the platform: embedded services, demonstration, web, worker, beat (Ctrl-C stops)'
	@echo 'make stop                stop it from another terminal, or clean up after an interrupted one'
	@echo 'make test [ARGS=...]     lint and the whole test suite beside temporary services'
	@echo 'make lint                style, types, one-way imports, templates'
	@echo 'make benchmark NAME=feed [ROWS=100000]'
	@echo 'make fuzz [N=10000] [SEED=1] [FORMAT=xlsx]   damage good files by the thousand and see what becomes of them'
	@echo 'make fuzz-api [N=2000]    thousands of calls made from the description of the interface, sound and broken'
	@echo 'make production-secrets  write the secrets that docker-compose.yml reads into ./secrets'
	@echo 'make clean               remove .venv and caches; make clean-data removes the embedded databases and keys'
	@echo
	@echo 'Without make (Python 3.11 or newer, in this directory):'
	@echo '  python3 -m creditplatform.embedded environment          # .venv from requirements.lock; or by hand:'
	@echo '      python3 -m venv .venv && .venv/bin/python -m pip install --no-deps --require-hashes -r requirements.lock -r requirements-fonts.lock'
	@echo '  .venv/bin/python -m creditplatform.embedded run [--port 8123]'
	@echo '  .venv/bin/python -m creditplatform.embedded stop'
	@echo '  python3 -m creditplatform.embedded environment --dev    # for tests and benchmarks'
	@echo '  .venv/bin/python -m creditplatform.embedded run-with-services -- .venv/bin/python -m pytest -n 2'
	@echo '  .venv/bin/python -m creditplatform.embedded run-with-services --durable -- .venv/bin/python -m benchmarks feed'

python-found:
	@test -n "$(PYTHON)" || { echo 'error: Python 3.11 or newer is needed and was not found; name it: make PYTHON=/path/to/python3' >&2; exit 1; }

environment: python-found
	@"$(PYTHON)" -m creditplatform.embedded environment

environment-dev: python-found
	@"$(PYTHON)" -m creditplatform.embedded environment --dev

run: environment
	@exec $(EMBEDDED) run --follow-parent $(if $(PORT),--port "$(PORT)")

stop: environment
	@$(EMBEDDED) stop

test: lint
	@CREDIT_MODE=test $(VENV_PYTHON) manage.py compile_catalogues
	@CREDIT_MODE=test exec $(EMBEDDED) run-with-services -- $(VENV_PYTHON) -m pytest -n $(WORKERS) $(ARGS)

lint: environment-dev
	@$(VENV_PYTHON) -m ruff check --quiet .
	@$(VENV_PYTHON) -m ruff format --quiet --check .
	@$(VENV_PYTHON) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()' --no-cache
	@$(VENV_PYTHON) -m mypy
	@$(VENV_PYTHON) -m djlint --quiet --lint templates

benchmark: environment-dev
	@test -n "$(NAME)" || { echo 'error: name one, for example: make benchmark NAME=feed' >&2; exit 1; }
	@exec $(EMBEDDED) run-with-services --durable -- $(VENV_PYTHON) -m benchmarks "$(NAME)" $(if $(ROWS),--rows "$(ROWS)")

fuzz: environment-dev
	@exec $(EMBEDDED) run-with-services -- $(VENV_PYTHON) -m tests.campaigns.mutate --mutations "$(or $(N),10000)" \
		--seed "$(or $(SEED),1)" $(if $(FORMAT),--format "$(FORMAT)")

fuzz-api: environment-dev
	@CREDIT_API_EXAMPLES="$(or $(N),2000)" $(EMBEDDED) run-with-services -- $(VENV_PYTHON) -m pytest -q -n 2 \
		tests/web/test_interface_generated.py

production-secrets: python-found
	@"$(PYTHON)" -m creditplatform.embedded production-secrets secrets

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

clean-data: environment
	@$(EMBEDDED) clean-data
