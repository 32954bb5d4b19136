# Two commands do all set-up on a fresh machine: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FILE ?=

.PHONY: demo proof test check unit matrix bench torture lock clean

# pip is given nothing but the lock: every file it installs is named by its SHA-256.
$(VENV)/server.stamp: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Plainview needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11 ...")'
	@echo "Preparing .venv (once, about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/server.stamp requirements-dev.lock
	@echo "Adding the test tools to .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(VENV)/server.stamp
	@$(BIN)/plainview demo

# The whole way of one file, without a server: make proof FILE=your.mp4
proof: $(VENV)/server.stamp
	@$(BIN)/plainview prove $(FILE)

# First what must be run to the last branch, under coverage; then what starts programs; each on both cores.
COVERED := tests/unit tests/db tests/system/verify tests/system/vault/test_other_verifiers.py
test: $(VENV)/dev.stamp
	@$(BIN)/python -m coverage erase
	@$(BIN)/python -m coverage run -m pytest -q -n 2 --dist loadfile $(COVERED)
	@$(BIN)/python -m coverage combine -q
	@$(BIN)/python tests/coverage_floor.py
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile tests/media tests/system $(COVERED:%=--ignore=%)

check: $(VENV)/dev.stamp
	@$(BIN)/ruff format --check -q .
	@$(BIN)/ruff check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(MAKE) --no-print-directory unit

# Unit tests need no disk; where there is a file system in memory they use that.
IN_MEMORY := $(shell test -w /dev/shm && echo TMPDIR=/dev/shm)
unit: $(VENV)/dev.stamp
	@$(IN_MEMORY) $(BIN)/python -m pytest -q -n 2 --dist worksteal tests/unit

# The unit tests on newer Pythons, where they are installed; each in a .venv of its own from the same lock.
matrix: $(VENV)/dev.stamp
	@for version in 3.12 3.13; do \
		python=$$(PYTHONPATH=tests $(BIN)/python -c "from simulators.pythons import find_python; print(find_python('$$version') or '')"); \
		if [ -z "$$python" ]; then echo "SKIPPED: Python $$version is not installed; its unit tests were not run"; continue; fi; \
		echo "Unit tests on Python $$version"; \
		$(MAKE) --no-print-directory unit PYTHON="$$python" VENV=".venv-$$version" || exit 1; \
	done

bench: $(VENV)/dev.stamp
	@$(BIN)/python bench/run.py $(NAME)

torture: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest -q tests/torture

# The only user of uv. The lock names packages and hashes, never a host.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --extra demo --extra build pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --extra dev --extra build -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) .venv-* build demo proof .coverage* .mypy_cache .ruff_cache .pytest_cache
