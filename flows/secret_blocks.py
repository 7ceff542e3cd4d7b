"""Secrets: Secret blocks of Prefect that a stage's model names -> the memory of the process that will ask it."""

from typing import Any

from prefect.blocks.system import Secret

from pipeline.config import CurateConfig
from pipeline.models.served.secret import provide_secret
from pipeline.models.writer import WriterConfig
from schemas.errors import UserError


def provide_secrets(config: CurateConfig, stage: str) -> None:
    """Load the key that the config of a stage names, if any. Raises UserError if Prefect has no such block."""
    writer = config.stage_config(stage)
    if not isinstance(writer, WriterConfig) or writer.engine != "served":
        return
    name = writer.chosen.api_key_secret
    if name is None:
        return
    try:
        block: Any = Secret.load(name)
    except ValueError as error:
        raise UserError(
            f"{stage}.served.api_key_secret = {name!r}: Prefect's server has no such Secret block, expected one that "
            "was made on its page or with prefect.blocks.system.Secret(value=...).save(NAME)"
        ) from error
    provide_secret(name, str(block.get()))
