# Every target may be run again; what is up to date takes no time.
PYTHON ?= python3
VENV := .venv
LOWEST := .venv-lowest
BIN := $(VENV)/bin
CODE := flask_checkout_case example_store tests benchmarks tools docs
PIP_FLAGS := --quiet --disable-pip-version-check
PYTEST_FLAGS ?=
# On the lowest versions, PostgreSQL's driver is asked by the tests of tables and cases.
# What asks our own rules again and again, through no library that could be too old, runs once.
ON_LOWEST := (not postgresql and not several_processes and not alike and not agent_access \
	and not test_incidents and not hesitation and not bad_input and not agent_live \
	and not card_testing and not policy_versions and not test_assignment) \
	or test_tables or test_signal_to_case
SETUP := $(BIN)/python -W ignore -c "from setuptools import setup; setup()" --quiet

export PIP_DEFAULT_TIMEOUT := 60
export PIP_RETRIES := 8

.DEFAULT_GOAL := help
.PHONY: help install demo test test-core test-browser test-packaging test-lowest \
	lint format types layers docs messages screenshots check clean system

help:  ## say what there is
	@sed -n 's/^\([a-z-]*\):.*  ## /\1|/p' $(MAKEFILE_LIST) | column -t -s '|'

install: $(VENV)/.installed system  ## make .venv with everything that development needs

system:
	@bash tools/system-packages

$(VENV)/.installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP_FLAGS) --upgrade "pip>=25.1"
	$(BIN)/python -m pip install $(PIP_FLAGS) --group dev \
		--editable '.[stripe,adyen,braintree,paypal,celery,postgres,metrics]'
	touch $@

demo: $(VENV)/.installed  ## a shop, its local Stripe and a worker, with data to look at
	$(BIN)/python -m example_store.demo

test: test-core test-browser test-packaging test-lowest  ## the whole suite

test-core: install
	$(BIN)/pytest -n 3 --dist loadgroup -m "not browser and not packaging" $(PYTEST_FLAGS)

test-browser: install
	$(BIN)/pytest -n 2 --dist loadgroup -m "browser" $(PYTEST_FLAGS)

test-packaging: install
	$(BIN)/pytest -m "packaging" $(PYTEST_FLAGS)

test-lowest: $(LOWEST)/.installed system  ## the suite on the lowest versions that pyproject.toml allows
	$(LOWEST)/bin/python -m pip list --format freeze | grep -Eix "(flask|sqlalchemy|flask-sqlalchemy|marshmallow|babel|limits)==.*"
	$(LOWEST)/bin/pytest -n 3 --dist loadgroup -m "not browser and not packaging and not faults" \
		tests/unit tests/integration -k "$(ON_LOWEST)" $(PYTEST_FLAGS)

$(LOWEST)/.installed: pyproject.toml tools/lowest.py
	test -x $(LOWEST)/bin/python || $(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install $(PIP_FLAGS) --upgrade "pip>=25.1"
	$(LOWEST)/bin/python tools/lowest.py > $(LOWEST)/lowest.txt
	$(LOWEST)/bin/python -m pip install $(PIP_FLAGS) --constraint $(LOWEST)/lowest.txt \
		--editable '.[stripe,adyen,braintree,paypal,postgres]' --group test
	touch $@

lint: $(VENV)/.installed  ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.installed  ## let ruff rewrite
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.installed  ## mypy, strict
	$(BIN)/mypy $(wildcard $(CODE))

layers: $(VENV)/.installed  ## import-linter
	$(BIN)/lint-imports

docs: $(VENV)/.installed  ## HTML in docs/_build/html
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

messages: $(VENV)/.installed  ## extract, update and compile the catalogues
	mkdir -p build
	$(SETUP) extract_messages
	$(SETUP) update_catalog
	$(SETUP) compile_catalog

screenshots: install  ## take the pictures of the documentation again
	$(BIN)/pytest -q -m browser --screenshots=docs/images tests $(PYTEST_FLAGS)
	$(BIN)/python -m tools.readme_picture docs/images

check: lint types layers docs

clean:
	rm -rf build dist docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis $(LOWEST)
