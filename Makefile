# make tune    sets everything up, searches the shipped study `quickstart`, says what to type next
# make test    sets everything up, checks the code, runs the fast tests
# make setup   the set-up alone: .venv with pinned dependencies

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: setup tune test check learning coverage bench docs pictures clean

setup: .venv/.ready

# torch first: an installed version that satisfies the range keeps pip from fetching another build.
.venv/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) pip setuptools
	$(PIP) torch
	$(PIP) --no-build-isolation --editable . --group dev
	touch .venv/.ready

tune: setup
	$(BIN)/tuner launch quickstart

check: setup
	scripts/check

# Files side by side, one per core: most tests wait for processes that they started.
test: check
	$(BIN)/python -m pytest -m "not learning" --numprocesses auto --dist loadfile

learning: setup
	$(BIN)/python -m pytest -m learning

# Apart: a test that limits file sizes, the coverage data among them, and one that needs full speed.
coverage: setup
	$(BIN)/python -m pytest -m "not learning" --cov --cov-report=term \
	  --deselect tests/tuner/test_export.py::test_a_write_that_fails_leaves_the_old_file \
	  --deselect tests/tuner/test_broken_environments.py::test_an_environment_without_a_time_limit_does_not_evaluate_for_ever

bench: setup
	$(PIP) --group bench
	$(BIN)/python scripts/benchmark_lanes

# What is written by the project itself: the command reference and what shells complete by.
docs: setup
	$(BIN)/python scripts/write_command_reference

# docs/terminal.png, dashboard.png and report.png. STUDY and STORAGE name one that was launched before.
STUDY ?= quickstart
pictures: setup
	$(BIN)/python scripts/make_pictures $(STUDY) $(if $(STORAGE),--storage $(STORAGE))

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache
