"""Hub models: a config file of a curation or a training -> the models of the hub that it names, and lines for it."""

from pathlib import Path

from flows.load import read_config, read_toml
from pipeline.config import CurateConfig
from pipeline.hub import Fetched, HubModel, Need, wanted_models
from pipeline.hub.wanted import is_local

BASE_PARTS: dict[str, tuple[tuple[str, Need], ...]] = {  # key of base -> folders in what it names; "" is that itself
    "path": (
        ("vae", Need.MODEL),
        ("text_encoder", Need.MODEL),
        ("tokenizer", Need.TOKENIZER),
        ("unet", Need.CONFIG),
    ),
    "vae": (("vae", Need.MODEL), ("", Need.MODEL)),
    "text_encoder": (
        ("text_encoder", Need.MODEL),
        ("tokenizer", Need.TOKENIZER),
        ("../tokenizer", Need.TOKENIZER),
        ("", Need.MODEL),
    ),
    "tokenizer": (("tokenizer", Need.TOKENIZER), ("", Need.TOKENIZER)),
    "unet": (("unet", Need.CONFIG), ("", Need.CONFIG)),
}


def read_wanted(path: Path) -> list[HubModel]:
    """List the hub models that a config file uses; a training config is known by its section `base`."""
    if "base" not in read_toml(path):
        return wanted_models(read_config(CurateConfig, path))
    from mobius_model.training.config import TrainConfig

    base = read_config(TrainConfig, path).base
    named = {key: getattr(base, key) for key in BASE_PARTS}
    return [
        HubModel(f"base.{key}", name, BASE_PARTS[key])
        for key, name in named.items()
        if name is not None and not is_local(name)
    ]


def config_line(fetched: Fetched) -> str:
    """Return the line that the config needs, as TOML; written into a section, its key loses the section's name."""
    quoted = fetched.name.replace("\\", "\\\\").replace('"', '\\"')
    return f'{fetched.model.key} = "{quoted}"'
