"""Load: a TOML file and `section.key=value` overrides -> a checked config, or one clear sentence."""

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from pipeline.config import CurateConfig
from pipeline.root import DatasetRoot
from pipeline.sources import open_source
from schemas.errors import UserError
from schemas.hidden import hide_secrets
from schemas.location import lies_inside, parse_location
from schemas.storage import is_empty, size_of

SECRET_KEYS = {"api_key_env", "api_key_secret"}  # what stands there by mistake is repeated nowhere
MAX_SHOWN_CHARACTERS = 200

Config = TypeVar("Config", bound=BaseModel)


def read_config(cls: type[Config], path: Path, overrides: Sequence[str] = ()) -> Config:
    """Read a config of some class, nothing but itself checked. Raises UserError naming the key or file."""
    return validate_config(cls, read_toml(path), overrides, name=str(path))


def load_config(path: Path, overrides: Sequence[str] = ()) -> CurateConfig:
    """Read and check the config of a curation and the source it names. Raises UserError naming the key or file."""
    config = read_config(CurateConfig, path, overrides)
    _check_root(config)
    known_states = DatasetRoot(config.root_path).read_manifest().source_states
    open_source(config.source, known_state=known_states.get(config.source.name))
    return config


def override_config(config: CurateConfig, overrides: Sequence[str]) -> CurateConfig:
    """Return a config with some thresholds replaced. Raises UserError naming the key."""
    for override in overrides:
        if not override.startswith("select."):
            raise UserError(f"override {override!r}: only select.* can be tried here, the rest with `mobius curate`")
    return validate_config(CurateConfig, config.model_dump(), overrides, name="overrides")


def validate_config(cls: type[Config], settings: dict[str, Any], overrides: Sequence[str], *, name: str) -> Config:
    """Check settings with overrides applied to them; `name` is theirs in messages. Raises UserError naming the key."""
    for override in overrides:
        _apply(settings, override)
    try:
        return cls.model_validate(settings)
    except ValidationError as error:
        expects_text = {".".join(map(str, each["loc"])) for each in error.errors() if each["type"] == "string_type"}
    for override in overrides:  # a folder may be called 2024: where text is expected, what was typed is the text
        key, _, text = override.partition("=")
        if key.strip() in expects_text:
            _apply(settings, f"{key}={json.dumps(text.strip())}")
    try:
        return cls.model_validate(settings)
    except ValidationError as error:
        raise UserError(f"{name}: {_explain(cls, error)}") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file. Raises UserError naming it."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such config file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as a config: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: no valid TOML: {error}") from error


def _apply(settings: dict[str, Any], override: str) -> None:
    name, separator, text = override.partition("=")
    keys = name.strip().split(".")
    if not separator or not all(keys):
        raise UserError(f"override {override!r}: expected section.key=value, such as select.min_label_count=5")
    table = settings
    for key in keys[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise UserError(f"override {override!r}: {key} is a value, not a section")
    table[keys[-1]] = _value(text.strip())


def _value(text: str) -> Any:
    """Read a value as TOML; what is no TOML value is a string, so that paths need no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _explain(cls: type[BaseModel], error: ValidationError) -> str:
    errors = error.errors()
    unknown = [each for each in errors if each["type"] == "extra_forbidden"]
    first = unknown[0] if unknown and errors[0]["type"] == "missing" else errors[0]  # mostly the same key, mistyped
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = _known_keys(cls, first["loc"][:-1])
        return f"{key}: unknown key" + (f", expected one of {', '.join(known)}" if known else "")
    if first["type"] == "missing":
        return f"{key}: missing, it has no default"
    if first["type"] == "value_error":  # our own words, about several keys
        return f"{key}: {first['ctx']['error']}".removeprefix(": ")
    shown = "" if SECRET_KEYS.intersection(first["loc"]) else f" = {_brief(first['input'])}"
    return f"{key}{shown}: {first['msg'][0].lower()}{first['msg'][1:]}"


def _brief(value: Any) -> str:
    """Write a value as it was typed, without its secrets and no longer than a person reads."""
    text = hide_secrets(repr(value))
    return text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}..."


def _known_keys(cls: type[BaseModel], sections: Sequence[int | str]) -> list[str]:
    """List the keys of a section, optional or not; none where it is no config of one class."""
    model = cls
    for section in sections:
        field = model.model_fields.get(str(section))
        annotation = None if field is None else field.annotation
        inside = _config_classes(annotation)
        if len(inside) != 1:
            return []
        model = inside[0]
    return sorted(model.model_fields)


def _config_classes(annotation: Any) -> list[type[BaseModel]]:
    """List the config classes in `X`, `X | None` or a union."""
    is_union = get_origin(annotation) in (Union, UnionType)
    members = get_args(annotation) if is_union else (annotation,)
    return [each for each in members if isinstance(each, type) and issubclass(each, BaseModel)]


def _check_root(config: CurateConfig) -> None:
    root, source = config.root_path, parse_location(config.source.path, key="source.path")
    if lies_inside(root, source):
        raise UserError(f"root = {config.root!r}: lies inside source.path, expected a folder that is no input itself")
    if size_of(root) is not None and is_empty(root):
        raise UserError(f"root = {config.root!r}: is a file, expected a folder or a new name")
    if not is_empty(root) and is_empty(root / "runs"):
        raise UserError(f"root = {config.root!r}: holds files that no curation wrote, expected an empty or new folder")
