"""What tests of the trainer share: inputs written once, and accelerate's process-wide state forgotten between runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from accelerate.state import AcceleratorState, GradientState

from mobius_model.base_model.init_base import init_base
from mobius_model.training.trainer import train
from tests.mobius_model.runs import pictures_config, write_inputs
from tests.mobius_model.tiny_models import CAPTIONS


@pytest.fixture(autouse=True)
def fresh_accelerate() -> Iterator[None]:
    """Let every test choose its own precision."""
    yield
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root, a base, and a stage-1 model trained for 4 steps in inputs/pictures; nobody may write here."""
    folder = write_inputs(tmp_path_factory.mktemp("training"))
    train(pictures_config(folder, folder / "stage1"))
    (folder / "stage1" / "model").rename(folder / "pictures")
    return folder


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base for pictures of 32 x 32 pixels; nobody may write here."""
    folder = tmp_path_factory.mktemp("base") / "tiny"
    init_base(folder, captions=CAPTIONS, size=32)
    return folder
