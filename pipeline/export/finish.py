"""Finish an export: ranges written aside -> a training set in its place, with manifest and dataset card."""

from collections.abc import Callable

from pipeline.config import CurateConfig
from pipeline.export.card import dataset_card
from pipeline.export.columns import TrainingSet
from pipeline.export.place import MANIFEST, require_own_place, take_place
from pipeline.export.plan import (
    ExportPlan,
    aside_folder,
    content_config,
    export_state,
    plan_export,
    stage_fingerprints,
)
from pipeline.export.write import FILES
from pipeline.root import DatasetRoot
from schemas.manifest import ExportManifest
from schemas.storage import list_sizes, read_text, write_text


def find_work(root: DatasetRoot, config: CurateConfig, training_set: TrainingSet) -> ExportPlan | None:
    """Plan the export of a set; None if it is in place already. In a state that is known nothing is read but names.

    Raises UserError if something stands in its place that no export wrote.
    """
    note = root.export_state_path(training_set.name)
    known_state, _, known_digest = read_text(note, "").partition(" ")
    if known_state == export_state(root, config, training_set) and _is_in_place(root, training_set, known_digest):
        return None
    plan = plan_export(root, config, training_set)
    if not _is_in_place(root, training_set, plan.digest):
        require_own_place(root, training_set)  # now, not after hours of writing
        return plan
    write_text(note, f"{plan.state} {plan.digest}")
    return None


def _is_in_place(root: DatasetRoot, training_set: TrainingSet, digest: str) -> bool:
    """True if the set in place is exactly what the plan of this digest asks for, with every file of the right size."""
    manifest = root.read_export(training_set.name)
    if manifest is None or manifest.plan != digest:
        return False
    sizes = list_sizes(root.export_folder(training_set.name))
    return all(sizes.get(file.name) == file.size_bytes for file in manifest.files)


def finish_export(
    root: DatasetRoot,
    config: CurateConfig,
    *,
    training_set: TrainingSet,
    plan: ExportPlan,
    check: Callable[[], None] = lambda: None,
) -> ExportManifest:
    """Write manifest and card beside the finished files, then put the folder in the place of the last export.

    `check` is called while files are copied, which takes long in a store, and may raise.
    """
    aside = aside_folder(root, training_set, plan.digest)
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
    write_text(aside / MANIFEST, manifest.model_dump_json(indent=1) + "\n")
    take_place(root, training_set, aside, notes=done, check=check)
    write_text(root.export_state_path(training_set.name), f"{plan.state} {plan.digest}")
    return manifest
