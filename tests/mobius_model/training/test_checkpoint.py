"""Checkpoints: what is written is read back to the bit, and what is not finished is never seen."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from mobius_model.training.checkpoint import (
    CheckpointConfig,
    State,
    Trained,
    newest_checkpoint,
    read_checkpoint,
    read_state,
    write_checkpoint,
)
from mobius_model.training.optimizer import OptimizerConfig, open_optimizer
from schemas.errors import UserError


def trained(seed: int) -> Trained:
    """Two weights after three steps."""
    torch.manual_seed(seed)
    weights = {"a.weight": nn.Parameter(torch.randn(3, 2)), "b": nn.Parameter(torch.randn(4))}
    optimizer = open_optimizer(weights.values(), OptimizerConfig(learning_rate=0.1))
    averages = {name: torch.randn_like(weight) for name, weight in weights.items()}
    made = Trained(weights, averages, optimizer)
    for _ in range(3):
        step(made)
    return made


def step(made: Trained) -> None:
    for weight in made.weights.values():
        weight.grad = torch.ones_like(weight) * 0.3
    made.optimizer.step()


def write(output: Path, number: int, made: Trained, **config: Any) -> Path:
    return write_checkpoint(output, State(number, {"dataset": "x"}, {}), made, CheckpointConfig(**config))


def test_a_checkpoint_goes_on_exactly_where_it_was_written(tmp_path: Path) -> None:
    ours, theirs = trained(0), trained(1)
    path = write(tmp_path, 3, ours)
    read_checkpoint(path, theirs)
    assert read_state(path) == State(3, {"dataset": "x"}, {})
    for made in (ours, theirs):
        step(made)
    for name, weight in ours.weights.items():
        assert torch.equal(weight, theirs.weights[name])
        assert torch.equal(ours.averages[name], theirs.averages[name])


def test_an_optimizer_that_counts_in_plain_numbers_gets_them_back(tmp_path: Path) -> None:
    def sparse(seed: int, steps: int) -> Trained:
        torch.manual_seed(seed)
        weight = nn.Parameter(torch.randn(5, 2))
        made = Trained({"w": weight}, {"w": weight.detach().clone()}, torch.optim.SparseAdam([weight], lr=0.1))
        for _ in range(steps):
            weight.grad = torch.ones(5, 2).to_sparse(1)
            made.optimizer.step()
        return made

    ours, theirs = sparse(0, steps=3), sparse(1, steps=1)
    read_checkpoint(write(tmp_path, 3, ours), theirs)
    ((found,), (expected,)) = (made.optimizer.state.values() for made in (theirs, ours))
    assert type(found["step"]) is int
    assert found["step"] == expected["step"] == 3
    assert torch.equal(found["exp_avg"], expected["exp_avg"])


class Nesting(torch.optim.AdamW):
    """Hides the tensors of its state one level deeper, as bitsandbytes does."""

    def state_dict(self) -> dict[str, Any]:
        found = super().state_dict()
        return {**found, "state": {index: {"nested": state} for index, state in found["state"].items()}}


def test_an_optimizer_that_nests_its_state_goes_on(tmp_path: Path) -> None:
    def nested(seed: int) -> Trained:
        torch.manual_seed(seed)
        weight = nn.Parameter(torch.randn(5))
        made = Trained({"w": weight}, {"w": weight.detach().clone()}, Nesting([weight], lr=0.1))
        step(made)
        return made

    ours, theirs = nested(0), nested(1)
    read_checkpoint(write(tmp_path, 1, ours), theirs)
    for made in (ours, theirs):
        step(made)
    assert torch.equal(ours.weights["w"], theirs.weights["w"])


def test_only_the_newest_stay(tmp_path: Path) -> None:
    for number in (1, 2, 9, 10):
        newest = write(tmp_path, number, trained(0), keep=2)
    assert newest_checkpoint(tmp_path) == newest
    assert sorted(path.name for path in newest.parent.iterdir()) == ["step-00000009", "step-00000010"]


def test_a_checkpoint_whose_writing_failed_is_never_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 1, trained(0))

    def fail(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mobius_model.training.checkpoint.write_text", fail)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, 2, trained(0))
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000001"]


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, 1, trained(0))
    weights = path / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-5])
    with pytest.raises(UserError, match=r"weights\.safetensors: damaged .* go on from the one before"):
        read_checkpoint(path, trained(1))
    (path / "state.json").write_text("{")
    with pytest.raises(UserError, match=r"damaged, expected a readable state\.json"):
        read_state(path)


def test_a_checkpoint_of_another_network_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, 1, trained(0))
    other = trained(1)
    other.weights["a.weight"].data = torch.zeros(5, 2)  # type: ignore[index,unused-ignore]
    before = other.weights["b"].clone()
    with pytest.raises(UserError, match=r"a\.weight is 3 x 2, expected 5 x 2"):
        read_checkpoint(path, other)
    assert torch.equal(other.weights["b"], before)


def test_eight_bits_without_their_library_is_one_sentence() -> None:
    with pytest.raises(UserError, match="bitsandbytes is not installed"):
        open_optimizer([nn.Parameter(torch.zeros(1))], OptimizerConfig(name="adamw_8bit"))
