# Everything runs in .venv, made from requirements.lock by a bare python3 (3.11 to 3.13, with venv and pip).
# Whatever the pipeline writes stands below data/ (or TIDEMARK_HOME).

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

export DO_NOT_TRACK := 1

.DEFAULT_GOAL := help
.PHONY: help install run live airflow env test torture bench lint format snapshot docs new-source lock clean

help:  ## This list.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

install: $(READY)  ## Install into .venv; done by the others as needed.

# The lock holds every package with its hashes, so nothing needs resolving (--no-deps), and a package that is
# not what was locked is refused.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info < (3, 14)))' || \
		{ echo "Tidemark needs Python 3.11 to 3.13; this is $$($(PYTHON) --version). Say which: make PYTHON=python3.12"; exit 1; }
	@echo "Installing into .venv (a minute or two, once)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

run: $(READY)  ## The whole pipeline through Airflow on the bundled snapshot, then the answers.
	@$(BIN)/tidemark run

live: $(READY)  ## The same against the publishers: what was reached, then the pipeline on what came.
	@$(BIN)/tidemark live

airflow: $(READY)  ## Airflow for good on this machine: user interface, and loads on the publishers' calendars.
	@$(BIN)/tidemark airflow

env:  ## A .env with generated secrets for docker-compose.yml, readable by you alone.
	@docker/make-env.sh

test: $(READY)  ## Every test.
	@$(BIN)/python -m pytest

torture: $(READY)  ## Kills, full disks, crowds, bad bytes, silent faults, in full (hours); writes docs/torture.md.
	@$(BIN)/python -m tests.torture

bench: $(READY)  ## What it costs, as ratios measured in one run (an hour); writes benchmarks/report.md.
	@$(BIN)/python -m benchmarks

lint: $(READY)  ## ruff, mypy --strict, sqlfluff, and what is rendered against its scripts.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/sqlfluff lint --disable-progress-bar dbt_project/models dbt_project/tests
	@$(BIN)/python snapshot/render.py --check
	@$(BIN)/python docs/render.py --check

format: $(READY)  ## Let ruff and sqlfluff put things in order.
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/sqlfluff fix --disable-progress-bar dbt_project/models dbt_project/tests

snapshot: $(READY)  ## Render the bundled snapshot anew from snapshot/figures/.
	@$(BIN)/python snapshot/render.py

docs: $(READY)  ## Write docs/sources/ and docs/licences.md anew from the passports.
	@$(BIN)/python docs/render.py

new-source: $(READY)  ## A new source's files from templates/: ID=ecb, or ID=ecb/rates.
	@$(BIN)/python templates/render.py "$(ID)"

lock: ## Lock the newest versions that pyproject.toml allows (needs uv).
	@uv pip compile --universal --python-version 3.11 --all-extras --generate-hashes --no-header \
		--no-emit-index-url --no-annotate --quiet pyproject.toml --output-file requirements.lock

clean:  ## Remove .venv and data/.
	@rm -rf .venv data dbt_project/target dbt_project/logs
