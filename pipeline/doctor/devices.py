"""Devices: `auto`, `cpu` or `cuda` -> what torch would run on here."""

from pipeline.doctor.report import Trouble


def device_name(wanted: str) -> str:
    """Return `cpu`, or the name of the GPU. Imports torch."""
    import torch

    return "cpu" if wanted == "cpu" or not torch.cuda.is_available() else str(torch.cuda.get_device_name())


def lacking_device(wanted: str) -> Trouble | None:
    """Return the trouble that a GPU is asked for and none is there. Imports torch only if one is asked for."""
    if wanted == "cuda" and device_name(wanted) == "cpu":
        return Trouble("device = 'cuda': this machine has no GPU that torch can use", "set device to 'cpu' or 'auto'")
    return None
