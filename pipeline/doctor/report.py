"""Report: what is known of one model of a config."""

from dataclasses import dataclass, replace

from schemas.hidden import hide_secrets


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong, in one sentence, and what to do about it."""

    sentence: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ModelReport:
    """One model, as the config names it; None stands for what is not known, or was not tried. No secret is in it.

    engine: who runs it. revision: commit, digest of the weights, or version. where: folder, package or endpoints.
    device: `cpu`, the name of a GPU, `auto` before it is opened, or `at the server`.
    ran: True if it answered one sample, False if it could not. seconds_to_open: with the canaries of a first opening.
    memory_bytes: by which opening and answering raised the memory of a process of its own at most; gpu_memory_bytes:
    what torch held of the GPU at most.
    """

    stage: str
    engine: str
    model: str
    revision: str | None = None
    where: str | None = None
    size_bytes: int | None = None
    device: str = "cpu"
    licence: str = "not stated"
    is_here: bool = False
    ran: bool | None = None
    seconds_to_open: float | None = None
    seconds_per_sample: float | None = None
    memory_bytes: int | None = None
    gpu_memory_bytes: int | None = None
    trouble: str | None = None
    remedy: str | None = None

    def with_trouble(self, trouble: Trouble | None) -> "ModelReport":
        """Return the report with a trouble, if there is one."""
        return self if trouble is None else replace(self, trouble=hide_secrets(trouble.sentence), remedy=trouble.remedy)


def told(report: ModelReport) -> str:
    """Return two lines about the trouble of a model: what it is, and what to do about it."""
    return f"{report.stage}: {report.trouble}\n    -> {report.remedy}"


def together(*troubles: Trouble | None) -> Trouble | None:
    """Return one trouble that tells of all that there are, in their order."""
    found = [each for each in troubles if each is not None]
    if not found:
        return None
    return Trouble("; ".join(each.sentence for each in found), "; ".join(each.remedy for each in found))
