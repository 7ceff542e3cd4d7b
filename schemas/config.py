"""What every config class shares: strict, frozen, unknown keys refused."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict

from schemas.hidden import has_user


def _refuse_user(place: str) -> str:
    if has_user(place):  # nothing of it is repeated here: it holds a secret
        raise ValueError(
            "a place holds no user and no password; keys come from the environment or its credential files"
        )
    return place


Place = Annotated[str, AfterValidator(_refuse_user)]
"""A folder or a URL, which is written into records, manifests and logs."""


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
