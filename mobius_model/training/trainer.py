"""Trainer: a config -> a trained model, going on from the newest checkpoint if there is one.

Nothing random has a state: micro-batch m of the run, its order, noise, timesteps and dropout are functions of the
seed and m. Step s takes micro-batches s * M to s * M + M - 1, M = ranks x accumulation, so one rank that accumulates
twice does what two ranks do, and all that a run needs to go on is the number of steps it has done.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mobius_model.data.batches import Batch
from mobius_model.network.unet import MobiusUNet
from mobius_model.training.checkpoint import (
    State,
    finished_checkpoints,
    newest_checkpoint,
    read_checkpoint,
    read_state,
    step_of,
    write_checkpoint,
)
from mobius_model.training.config import TrainConfig
from mobius_model.training.encoding import encode
from mobius_model.training.guards import check_finite, check_gradients, h_watched
from mobius_model.training.identity import flat, versions
from mobius_model.training.log import TrainLog
from mobius_model.training.loss import training_loss
from mobius_model.training.optimizer import set_rate
from mobius_model.training.output import LOCK, check_identity, check_output, check_space, sole_training
from mobius_model.training.report import (
    Clock,
    Progress,
    Started,
    Stepped,
    Validated,
    Wrote,
    peak_memory_bytes,
    say_nothing,
)
from mobius_model.training.run import Run, open_accelerator, open_run
from mobius_model.training.samples import draw_samples, is_model_of, write_model
from mobius_model.training.schedules import rate_at
from mobius_model.training.seeds import generator_at, seed_of
from mobius_model.training.states import states_watched, t_over_h
from mobius_model.training.validation import validation_sums
from schemas.errors import UserError
from schemas.storage import write_text

MODEL = "model"


@dataclass(frozen=True, slots=True)
class TrainOutcome:
    """What a run came to; `loss` is the mean of its last reported steps, None if there was nothing left to do."""

    first_step: int
    num_steps: int
    loss: float | None
    validation_loss: float | None
    samples_per_second: float
    peak_memory_bytes: int
    model: str


@dataclass(slots=True)
class Recent:
    """Numbers of the steps since the last report, still on the device."""

    rates: list[float]
    losses: list[Tensor]
    norms: list[Tensor]


def train(config: TrainConfig, *, progress: Progress = say_nothing) -> TrainOutcome:
    """Train to `loop.num_steps` and write OUTPUT/model. Called on every rank; rank 0 writes and reports.

    Raises UserError before anything is written for whatever does not fit, TrainingDiverged, GradientLeak,
    MachineFault for a full disk.
    """
    check_output(config.output_path)
    accelerator = open_accelerator(config)
    run = open_run(config, accelerator)
    if not (config.output_path / LOCK).exists():
        _check_room(run)  # a folder is only made where there is room
    tell = progress if accelerator.is_main_process else say_nothing
    alone = sole_training(config.output_path) if accelerator.is_main_process else contextlib.nullcontext()
    with alone:
        accelerator.wait_for_everyone()  # from here on nobody else writes to the folder
        _check_room(run)
        first, checkpoint = _first_step(run)
        if checkpoint is not None:
            read_checkpoint(checkpoint, run.trained)
        outcome = _train(run, first, tell)
    accelerator.end_training()
    return outcome


def _train(run: Run, first: int, tell: Progress) -> TrainOutcome:
    # Build.
    config, loop, accelerator = run.config, run.config.loop, run.accelerator
    output, num_ranks, rank = config.output_path, accelerator.num_processes, accelerator.process_index
    samples_per_step = loop.batch_size * run.micro_batches_per_step
    recent, clock = Recent([], [], []), Clock()
    loss = validation_loss = None
    log = _open_outputs(run, first) if accelerator.is_main_process else None
    tell(_started(run, first))

    # Resume.
    batches = run.clips.micro_batches(
        seed=config.seed, batch_size=loop.batch_size, first=first * run.micro_batches_per_step + rank, stride=num_ranks
    )
    clock.skip()

    # Loop.
    for step in range(first, loop.num_steps):
        rate = rate_at(step, config.schedule, learning_rate=config.optimizer.learning_rate, num_steps=loop.num_steps)
        set_rate(run.trained.optimizer, rate)
        losses, norm = _step(run, step, batches, is_first=step == first)
        recent.rates.append(rate)
        recent.losses.append(losses)
        recent.norms.append(norm)
        done = step + 1
        is_last = done == loop.num_steps
        is_checkpoint = is_last or done % config.checkpoint.every_steps == 0
        is_validation = run.clips.num_validation > 0 and (is_last or done % config.validation.every_steps == 0)
        is_sampling = bool(config.validation.prompts) and (is_last or done % config.validation.sample_every_steps == 0)
        if not (is_checkpoint or is_validation or is_sampling or done % loop.log_every_steps == 0):
            continue

        # Report.
        num_recent = len(recent.rates)
        loss = _write_recent(run, recent, done, log)
        clock.count(num_recent * samples_per_step)
        seconds_left = (loop.num_steps - done) * samples_per_step / max(clock.samples_per_second, 1e-9)
        peak = peak_memory_bytes(run.device)
        tell(Stepped(done, loop.num_steps, loss, rate, clock.samples_per_second, seconds_left, peak))

        # Validate, sample, save.
        if is_validation:
            validated = _validate(run, done)
            validation_loss = validated.loss
            tell(validated)
            if log is not None:
                log.write(
                    done,
                    validation_loss=validated.loss,
                    by_quantile=validated.by_quantile,
                    t_over_h=validated.t_over_h,
                )
        if is_sampling:
            with _looked_at(run):
                for path in draw_samples(run, done):
                    tell(Wrote(done, str(path)))
        if is_checkpoint and log is not None:
            log.flush()
            tell(Wrote(done, str(_save(run, done))))
        if is_checkpoint and not is_last and config.checkpoint.write_model and accelerator.is_main_process:
            write_model(run, output / MODEL, step=done)
        clock.skip()

    # Finish.
    if log is not None:
        log.close()
        if not is_model_of(run, output / MODEL, step=loop.num_steps):
            write_model(run, output / MODEL, step=loop.num_steps)
            tell(Wrote(loop.num_steps, str(output / MODEL)))
    accelerator.wait_for_everyone()
    return TrainOutcome(
        first,
        loop.num_steps,
        loss,
        validation_loss,
        clock.samples_per_second,
        peak_memory_bytes(run.device),
        str(output / MODEL),
    )


def _check_room(run: Run) -> None:
    """Raise UserError unless what is still to be written fits beside what is there."""
    config, output = run.config, run.config.output_path
    finished = finished_checkpoints(output)
    is_done = bool(finished) and step_of(finished[-1]) >= config.loop.num_steps
    if is_done and is_model_of(run, output / MODEL, step=config.loop.num_steps):
        return
    base = (*run.base.vae.parameters(), *run.base.text.model.parameters())
    num_weights = sum(weight.numel() for weight in run.unet.parameters())
    is_replaced = config.checkpoint.write_model and not (output / MODEL).exists()  # two of them at a time
    check_space(
        output,
        num_checkpoints=0 if is_done else max(1, config.checkpoint.keep + 1 - len(finished)),
        num_trained=sum(weight.numel() for weight in run.trained.weights.values()),
        model_bytes=(1 + is_replaced)
        * (4 * num_weights + sum(weight.numel() * weight.element_size() for weight in base)),
    )


def _first_step(run: Run) -> tuple[int, Path | None]:
    """Return how many steps are done already, and by which checkpoint; raises UserError if it is not of this run."""
    config = run.config
    checkpoint = newest_checkpoint(config.output_path)
    if checkpoint is None:
        return 0, None
    state = read_state(checkpoint)
    check_identity(checkpoint, state, run.identity)
    if state.step > config.loop.num_steps:
        raise UserError(f"loop.num_steps = {config.loop.num_steps}: {checkpoint} has {state.step} steps already")
    if run.accelerator.scaler is not None and state.grad_scaler is not None:
        run.accelerator.scaler.load_state_dict(state.grad_scaler)
    return state.step, checkpoint


def _open_outputs(run: Run, first: int) -> TrainLog:
    output = run.config.output_path
    write_text(output / "train.json", json.dumps(run.config.model_dump(mode="json"), indent=1) + "\n")
    run.accelerator.init_trackers("trackers", config=flat(run.config))
    return TrainLog(output / "log.jsonl", finished_steps=first)


def _started(run: Run, first: int) -> Started:
    return Started(
        step=first,
        num_steps=run.config.loop.num_steps,
        stage=run.config.stage,
        num_train=run.clips.num_train,
        num_validation=run.clips.num_validation,
        content=run.clips.content,
        num_trained_weights=sum(weight.numel() for weight in run.trained.weights.values()),
        num_weights=sum(weight.numel() for weight in run.unet.parameters()),
        num_left_out=run.unet.num_left_out if isinstance(run.unet, MobiusUNet) else 0,
    )


def _step(run: Run, step: int, batches: Iterator[Batch], *, is_first: bool) -> tuple[Tensor, Tensor]:
    """Do one optimizer step; return this rank's losses, one per accumulated micro-batch, and the gradient's norm."""
    config, accelerator = run.config, run.accelerator
    accumulation = config.loop.accumulation
    losses = []
    for turn in range(accumulation):
        number = (step * accumulation + turn) * accelerator.num_processes + accelerator.process_index
        is_last = turn == accumulation - 1
        with contextlib.nullcontext() if is_last else accelerator.no_sync(run.net):
            with h_watched(run.unet) if is_first and not config.loop.compile else contextlib.nullcontext():
                loss = _micro_loss(run, next(batches), number)
            accelerator.backward(loss / accumulation)
        losses.append(loss.detach())
    if is_first:
        check_gradients(run.unet, run.trained.weights)
    norm: Tensor = accelerator.clip_grad_norm_(run.trained.weights.values(), config.optimizer.max_grad_norm)
    run.trained.optimizer.step()
    run.trained.optimizer.zero_grad(set_to_none=True)
    run.ema.update(step)
    return torch.stack(losses), norm


def _micro_loss(run: Run, batch: Batch, number: int) -> Tensor:
    """Return the loss of micro-batch `number`; everything random about it comes from the seed and that number."""
    seed, device = run.config.seed, run.device
    encoded = encode(batch, run.base, generator=generator_at(seed, number, "latents"), device=device)
    torch.manual_seed(seed_of(seed, number, "dropout"))
    return training_loss(
        run.predict_with(encoded),
        run.schedule,
        encoded.latents,
        config=run.config.loss,
        generator=generator_at(seed, number, "noise"),
    )


def _write_recent(run: Run, recent: Recent, done: int, log: TrainLog | None) -> float:
    """Log every recent step, the loss as its mean over all ranks; return the mean of all and forget them."""
    num_recent = len(recent.rates)
    gathered = run.accelerator.gather(torch.stack(recent.losses))  # (ranks steps) turns
    by_step = gathered.reshape(-1, num_recent, gathered.shape[1]).permute(1, 2, 0).flatten(1)  # in order of number
    losses = by_step.double().mean(1).tolist()
    norms = torch.stack(recent.norms).tolist()
    numbered = enumerate(zip(recent.rates, losses, norms, strict=True), done - num_recent + 1)
    for step, (rate, loss, norm) in numbered:
        check_finite(step, "loss", loss)
        if run.accelerator.scaler is None:  # a grad scaler leaves such steps out by itself
            check_finite(step, "norm of the gradient", norm)
        if log is not None:
            log.write(step, loss=loss, learning_rate=rate, grad_norm=norm)
        run.accelerator.log({"loss": loss, "learning_rate": rate, "grad_norm": norm}, step=step)
    for numbers in (recent.rates, recent.losses, recent.norms):
        numbers.clear()
    return float(sum(losses) / num_recent)


def _validate(run: Run, done: int) -> Validated:
    config = run.config
    with _looked_at(run), states_watched(run.unet) as sizes:
        sums = validation_sums(
            lambda encoded: run.predict_with(encoded, run.unet),
            run.clips,
            base=run.base,
            schedule=run.schedule,
            seed=config.validation.seed,
            batch_size=config.loop.batch_size,
            rank=run.accelerator.process_index,
            num_ranks=run.accelerator.num_processes,
            device=run.device,
        )
    total = run.accelerator.reduce(sums.to(run.device), reduction="sum").cpu()
    by_quantile = (total[0] / total[1]).float().tolist()  # in float64 the order of ranks would show
    loss = float(sum(by_quantile) / len(by_quantile))
    names = {f"validation/quantile_{number}": each for number, each in enumerate(by_quantile)}
    ratio = t_over_h(run.accelerator.reduce(sizes.squares.to(run.device), reduction="sum").cpu())
    if ratio is not None:
        names["validation/t_over_h"] = ratio
    run.accelerator.log({"validation/loss": loss, **names}, step=done)
    return Validated(done, loss, by_quantile, ratio)


@contextlib.contextmanager
def _looked_at(run: Run) -> Iterator[None]:
    """Hold the network still, with its average weights, for as long as the context lasts."""
    with run.ema.applied():
        run.unet.eval()
        try:
            yield
        finally:
            run.unet.train()


def _save(run: Run, done: int) -> Path:
    scaler = run.accelerator.scaler
    state = State(done, dict(run.identity), versions(), scaler.state_dict() if scaler is not None else None)
    return write_checkpoint(run.config.output_path, state, run.trained, run.config.checkpoint)
