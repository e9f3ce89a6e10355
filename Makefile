# `make demo`, `make test` and `make docs` do everything themselves: environment, installation, run.
PYTHON ?= python3
BIN := .venv/bin
BUILT_FROM := pyproject.toml constraints.txt CMakeLists.txt $(wildcard src/superlaw/toy/fused/*.cpp src/superlaw/toy/fused/*.hpp)

.PHONY: demo test docs playground
demo: .venv/installed
	$(BIN)/superlaw demo

test: .venv/installed-test
	$(BIN)/ruff check src tests benchmarks examples docs
	$(BIN)/ruff format --check src tests benchmarks examples docs
	$(BIN)/pyright
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile

docs: .venv/installed-docs
	$(BIN)/python -m sphinx -b html -W --keep-going -q docs docs/_build/html
	@echo "docs/_build/html/index.html"

playground: .venv/installed
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install -q ziglang
	$(BIN)/python playground/build.py

.venv/installed: $(BUILT_FROM)
	@$(call prepare)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install -q -e .
	@touch $@

.venv/installed-test: $(BUILT_FROM)
	@$(call prepare)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install -q -e ".[test]"
	@touch $@ .venv/installed

.venv/installed-docs: $(BUILT_FROM)
	@$(call prepare)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install -q -e ".[docs]"
	@touch $@ .venv/installed

define prepare
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
  { echo "superlaw: got $$($(PYTHON) --version 2>/dev/null || echo no $(PYTHON)); need Python 3.11 or later; do: make PYTHON=/path/to/python3.11" >&2; exit 2; }; \
command -v "$${CXX:-c++}" >/dev/null 2>&1 || command -v g++ >/dev/null 2>&1 || command -v clang++ >/dev/null 2>&1 || \
  { echo "superlaw: got no C++ compiler; need g++ or clang++ (C++17); do: apt install g++, or set CXX" >&2; exit 2; }; \
test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
  { echo "superlaw: got no working venv module; need it to make .venv; do: apt install python3-venv" >&2; exit 2; }
endef
