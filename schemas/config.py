"""What every config class shares: strict, frozen, unknown keys refused."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class StrictConfig(BaseModel):
    """A frozen settings table; a key it does not know is an error, never ignored.

    identified: keys that a fingerprint leaves out, in pydantic's form of `exclude`: those that change no answer, and
    those, such as the place of a file, that the identity of a model speaks for.
    """

    identified: ClassVar[Any] = None

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
