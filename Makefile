# `make demo` and `make test` need nothing but Python 3.11 or newer: the environment is made on first use.

PYTHON ?= python3
BIN := .venv/bin
PROMPT ?= love, 贴图“love”：蓝色图案，带灰色和白色，居中。它忽大忽小，每秒约一次，变动约占画面一半。

.PHONY: demo demo-data demo-train test test-long test-extras lint format bench clean

demo: demo-data demo-train

demo-data: .venv/ready
	rm -rf demo
	$(BIN)/mobius draw-stickers demo/stickers
	$(BIN)/mobius curate flows/configs/demo.toml
	$(BIN)/mobius head demo/dataset
	@echo "Files:   demo/stickers/media (source)   demo/stickers/truth (what is under the text)"
	@echo "Dataset: demo/dataset   t2i/ t2v/ (shards, dataset card)   fates.parquet (what happened to each file)"
	@echo "Look on: $(BIN)/mobius status demo/dataset;  $(BIN)/mobius select demo/dataset --sweep;  $(BIN)/mobius --help"

demo-train: .venv/ready
	rm -rf demo/base demo/t2i demo/t2v demo/sample.gif
	$(BIN)/mobius init-base demo/base --dataset demo/dataset --size 32
	$(BIN)/mobius precompute flows/configs/train-demo.toml stage=t2i
	$(BIN)/mobius train flows/configs/train-demo.toml stage=t2i loop.num_steps=1500 loop.batch_size=8
	$(BIN)/mobius precompute flows/configs/train-demo.toml
	$(BIN)/mobius train flows/configs/train-demo.toml
	$(BIN)/mobius generate demo/t2v/model "$(PROMPT)" --out demo/sample.gif --guidance 2
	@echo "Models:  demo/t2i/model (pictures)   demo/t2v/model (clips)   numbers of every step in log.jsonl beside them"
	@echo "Sample:  demo/sample.gif   another: $(BIN)/mobius generate demo/t2v/model PROMPT --out NAME.gif"

# Whatever the environment says, sources are compiled once and not by each of the hundreds of processes that tests start.
test: .venv/ready
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-long: .venv/ready
	MOBIUS_KILL_ROUNDS=20 $(BIN)/python -m pytest tests/flows/test_resume.py
	MOBIUS_LONG=1 $(BIN)/python -m pytest tests/flows/test_engines.py
	MOBIUS_CHAOS_ENGINES="threads processes dask ray" $(BIN)/python -m pytest tests/flows/test_chaos.py

# Extras that `make test` does not cover: a light one alone, and PaddleOCR and MosaicML Streaming, which want older
# packages than the pinned ones.
test-extras: .venv/ready
	$(PYTHON) -m venv --clear .venv-extras/served
	.venv-extras/served/bin/pip install --quiet --disable-pip-version-check -c constraints.txt '.[served]'
	.venv-extras/served/bin/mobius doctor --quick
	.venv-extras/served/bin/python -c "from pipeline.models.served import open_served_translator; import openai"
	$(PYTHON) -m venv --clear .venv-extras/paddle
	.venv-extras/paddle/bin/pip install --quiet --disable-pip-version-check '.[ocr-paddle]' pytest hypothesis psutil
	.venv-extras/paddle/bin/python -m pytest tests/models/test_paddle_ocr.py
	$(PYTHON) -m venv --clear .venv-extras/mds
	.venv-extras/mds/bin/pip install --quiet --disable-pip-version-check mosaicml-streaming
	MOBIUS_STREAMING_PYTHON=.venv-extras/mds/bin/python $(BIN)/python -m pytest tests/export/test_formats.py

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
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.captions
	$(BIN)/python -m benchmarks.serving
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.train_modes --rounds 3 --steps 1

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all]'
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps simple-lama-inpainting
	touch $@

clean:
	rm -rf .venv .venv-extras demo
