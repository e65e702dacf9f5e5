# Each target makes .venv itself when it is missing or older than what it is made from.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

# Workers beside one another, as many as tests/conftest.py finds room for. ARGS="-n 0" is none.
PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist worksteal

.PHONY: demo test check format bench bench-db bench-tariffs lock clean

demo: .venv/ready
	@$(BIN)/python -m gated demo $(ARGS)

# Of the second run pytest says 5 when nothing that ARGS asks for is about the database.
test: check
	$(PYTEST) --cov --cov-report=term $(ARGS)
	$(PYTEST) --pooled $(ARGS) || [ $$? -eq 5 ]

check: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# A whole day of one facility, audited: ARGS="--seed 7 --vehicles 10000".
day: .venv/ready
	@$(BIN)/python -m tests.sim $(ARGS)

bench: .venv/ready
	$(BIN)/python -m bench $(ARGS)

bench-db: .venv/ready
	$(BIN)/python -m bench.db $(ARGS)

bench-tariffs: .venv/ready
	$(BIN)/python -m bench.tariffs $(ARGS)

# Everything, here and in CI, installs from constraints.txt; this target renews it.
lock: .venv/ready
	$(BIN)/pip install --quiet --upgrade --upgrade-strategy eager --editable '.[embedded,dev]'
	$(BIN)/pip freeze --exclude-editable --exclude pip --exclude setuptools --exclude wheel > constraints.txt

.venv/ready: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing gated and its tools into .venv …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[embedded,dev]'
	@touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
