"""What every config class shares: strict, frozen, unknown keys refused."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class StrictConfig(BaseModel):
    """A frozen settings table; a key it does not know is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)

    @property
    def identified(self) -> Any:
        """What a fingerprint leaves out, in pydantic's form of `exclude`.

        Settings that change no answer, those of engines that are not chosen, and those, such as the place of a file,
        that the identity of a model speaks for.
        """
        return None
