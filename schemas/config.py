"""What every config class shares: strict, frozen, unknown keys refused."""

from pydantic import BaseModel, ConfigDict


class StrictConfig(BaseModel):
    """A frozen settings table; a key it does not know is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
