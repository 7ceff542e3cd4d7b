# `make demo` and `make test` need nothing but Python 3.11 or newer: the environment is made on first use.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint format bench clean

demo: .venv/ready
	rm -rf demo
	$(BIN)/mobius draw-stickers demo/stickers
	$(BIN)/mobius curate flows/configs/demo.toml
	$(BIN)/mobius head demo/dataset
	@echo "Files:   demo/stickers/media (source)   demo/stickers/truth (what is under the text)"
	@echo "Dataset: demo/dataset   t2i/ t2v/ (shards, dataset card)   fates.parquet (what happened to each file)"
	@echo "Look on: $(BIN)/mobius status demo/dataset;  $(BIN)/mobius select demo/dataset --sweep;  $(BIN)/mobius --help"

test: .venv/ready
	$(BIN)/python -m pytest

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/ready
	$(BIN)/python -m benchmarks.text
	$(BIN)/python -m benchmarks.curate

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all]'
	touch $@

clean:
	rm -rf .venv demo
