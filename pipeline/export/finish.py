"""Finish an export: ranges written aside -> a training set in its place, with manifest and dataset card."""

import shutil

from pipeline.config import CurateConfig
from pipeline.export.card import dataset_card
from pipeline.export.columns import TrainingSet
from pipeline.export.plan import ExportPlan, aside_folder, content_config, stage_fingerprints
from pipeline.export.write import FILES
from pipeline.root import DatasetRoot
from schemas.errors import UserError
from schemas.manifest import ExportManifest
from schemas.storage import write_text


def is_exported(root: DatasetRoot, training_set: TrainingSet, plan: ExportPlan) -> bool:
    """True if the set in place is exactly what the plan asks for, with every file of the right size."""
    manifest = root.read_export(training_set.name)
    if manifest is None or manifest.plan != plan.digest:
        return False
    folder = root.export_folder(training_set.name)
    return all(
        (folder / file.name).exists() and (folder / file.name).stat().st_size == file.size_bytes
        for file in manifest.files
    )


def finish_export(
    root: DatasetRoot, config: CurateConfig, *, training_set: TrainingSet, plan: ExportPlan
) -> ExportManifest:
    """Write manifest and card beside the finished files, then put the folder in the place of the last export."""
    aside = aside_folder(root, training_set, plan.digest)
    aside.mkdir(parents=True, exist_ok=True)
    done = [aside / f"{each.number:05d}.json" for each in plan.ranges]
    files = [file for path in done for file in FILES.validate_json(path.read_bytes())]
    manifest = ExportManifest(
        name=training_set.name,
        plan=plan.digest,
        num_samples=sum(file.num_samples for file in files),
        files=files,
        fingerprints=stage_fingerprints(config, training_set),
        config=content_config(config),
    )
    assert manifest.num_samples == plan.num_samples, (
        f"{training_set.name}: {manifest.num_samples} samples written, {plan.num_samples} planned"
    )
    write_text(aside / "README.md", dataset_card(manifest, training_set, aside))
    write_text(aside / "manifest.json", manifest.model_dump_json(indent=1) + "\n")
    for path in done:
        path.unlink()
    _take_place(root, training_set, plan)
    return manifest


def remove_replaced(root: DatasetRoot, training_set: TrainingSet) -> None:
    """Remove what a kill left of a set that has been replaced, or put it back if nothing took its place."""
    old = root.path / f".{training_set.name}-replaced"
    if not old.exists():
        return
    if root.export_folder(training_set.name).exists():
        shutil.rmtree(old)
    else:
        old.rename(root.export_folder(training_set.name))


def _take_place(root: DatasetRoot, training_set: TrainingSet, plan: ExportPlan) -> None:
    """Swap folders; a kill between the two renames leaves the old set under a dotted name, and the next run ends it."""
    place = root.export_folder(training_set.name)
    if place.exists() and root.read_export(training_set.name) is None:
        raise UserError(f"{place}: no export of this project (no manifest.json), move it away to export there")
    old = root.path / f".{training_set.name}-replaced"
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    aside_folder(root, training_set, plan.digest).rename(place)
    for leftover in root.path.glob(f".{training_set.name}-*"):
        shutil.rmtree(leftover, ignore_errors=True)
