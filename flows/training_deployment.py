"""Training deployment: what a person fills in on Prefect's page -> the same run that `mobius train` makes.

Apart from that of curation, since this needs torch and that does not.
"""

from pathlib import Path
from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import Field

from flows.deployments import ConfigPath, Override, ended_without_server, filled_in, first_given
from flows.load import read_config
from flows.train import run_train
from mobius_model.data.config import Stage
from mobius_model.training.config import TrainConfig


@flow(name="mobius-train", flow_run_name=lambda: f"train {first_given('output', 'config')}", persist_result=False)
def train(
    config: ConfigPath,
    stage: Stage | None = None,
    root: str = "",
    output: str = "",
    num_steps: Annotated[int, Field(ge=1)] | None = None,
    overrides: list[Override] = [],  # noqa: B006
) -> State[None]:
    """Train one stage on a curated dataset; goes on at the newest checkpoint of its output folder.

    Args:
        config: TOML file where the worker runs, such as flows/configs/train-demo.toml
        stage: t2i trains on pictures, t2v on clips. None: as the config says
        root: Dataset root that a curation wrote. Empty: as the config says
        output: Folder of the model and its checkpoints. Empty: as the config says
        num_steps: Optimizer steps. None: as the config says
        overrides: Other settings of the config, as section.key=value, such as loop.batch_size=4. No secrets
    """
    given = {"stage": stage, "root": root, "output": output, "loop.num_steps": num_steps}
    loaded = read_config(TrainConfig, Path(config), [*filled_in(given), *overrides])
    with ended_without_server():
        return Completed(message=f"model: {run_train(loaded)['model']}")
