"""The manifests: valid, pinned, restricted, and pointing at nothing that is not there."""

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.docker.commands import DOCKER, check_command
from tests.docker.test_docker import PINNED

MANIFESTS = DOCKER / "kubernetes"
PLATFORM, RUNS = MANIFESTS / "platform", MANIFESTS / "runs"
BY_HAND = {"object-store", "prefect-database"}  # Secrets that a person makes, as docs/deployment.md says
# Fields of ray.io/v1, as KubeRay 1.5 defines them; those that are used here must be among them.
JOB_FIELDS = {
    "entrypoint", "submissionMode", "backoffLimit", "shutdownAfterJobFinishes", "ttlSecondsAfterFinished", "suspend",
    "activeDeadlineSeconds", "runtimeEnvYAML", "rayClusterSpec", "jobId", "metadata", "clusterSelector",
}  # fmt: skip
CLUSTER_FIELDS = {"rayVersion", "headGroupSpec", "workerGroupSpecs", "enableInTreeAutoscaling", "autoscalerOptions"}
GROUP_FIELDS = {"groupName", "replicas", "minReplicas", "maxReplicas", "numOfHosts", "rayStartParams", "template"}

Manifest = dict[str, Any]


def read(*folders: str) -> list[Manifest]:
    """Read every manifest of some folders, but for kustomize's own."""
    paths = [path for folder in folders for path in sorted((MANIFESTS / folder).glob("*.yaml"))]
    texts = [path.read_text(encoding="utf-8") for path in paths if path.name != "kustomization.yaml"]
    return [manifest for text in texts for manifest in yaml.safe_load_all(text)]


ALL = read("platform", "runs")
(RAY_JOB,) = (each for each in ALL if each["kind"] == "RayJob")
RAY_CLUSTER = RAY_JOB["spec"]["rayClusterSpec"]
GROUPS = [RAY_CLUSTER["headGroupSpec"], *RAY_CLUSTER["workerGroupSpecs"]]


def pods() -> Iterator[tuple[str, Manifest]]:
    """Yield the spec of every pod that some manifest makes."""
    for each in ALL:
        if each["kind"] in {"Deployment", "Job"}:
            yield f"{each['kind']} {each['metadata']}", each["spec"]["template"]["spec"]
    for group in GROUPS:
        yield group.get("groupName", "head"), group["template"]["spec"]


PODS = list(pods())


def validate(manifest: Manifest) -> None:
    """Hold a manifest against Kubernetes' own schemas, unknown fields refused."""
    kubernetes_validate = pytest.importorskip(
        "kubernetes_validate", reason="kubernetes-validate is not here: pip install kubernetes-validate"
    )
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("manifest", [each for each in ALL if each["kind"] != "RayJob"], ids=lambda each: each["kind"])
def test_a_manifest_is_valid(manifest: Manifest) -> None:
    validate(manifest)


def test_the_ray_job_has_known_fields_and_valid_pods() -> None:
    assert RAY_JOB["apiVersion"] == "ray.io/v1"
    assert RAY_JOB["spec"].keys() <= JOB_FIELDS
    assert RAY_CLUSTER.keys() <= CLUSTER_FIELDS
    for group in GROUPS:
        assert group.keys() <= GROUP_FIELDS
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        validate({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": group["template"]["spec"]})


def test_ray_is_the_version_that_is_installed() -> None:
    assert f"ray=={RAY_CLUSTER['rayVersion']}" in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(("name", "pod"), PODS)
def test_a_pod_keeps_to_the_restricted_standard(name: str, pod: Manifest) -> None:
    context = pod["securityContext"]
    assert context["runAsNonRoot"]
    assert context["runAsUser"] > 0
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert "memory" in container["resources"]["limits"]
        assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}


@pytest.mark.parametrize(("name", "pod"), PODS)
def test_images_are_pinned(name: str, pod: Manifest) -> None:
    kustomization = yaml.safe_load((PLATFORM / "kustomization.yaml").read_text(encoding="utf-8"))
    pinned = {each["name"]: f"{each['newName']}:{each['newTag']}" for each in kustomization["images"]}
    for container in pod["containers"]:
        assert PINNED.fullmatch(pinned.get(container["image"], container["image"]))


@pytest.mark.parametrize(("name", "pod"), PODS)
def test_a_pod_refers_to_what_is_there_and_holds_no_secret(name: str, pod: Manifest) -> None:
    here = {(each["kind"], each["metadata"].get("name")) for each in ALL}
    for container in pod["containers"]:
        for source in container.get("envFrom", []):
            assert "secretRef" not in source or source["secretRef"]["name"] in BY_HAND
            assert "configMapRef" not in source or ("ConfigMap", source["configMapRef"]["name"]) in here
        for variable in container.get("env", []):
            if "valueFrom" in variable:
                assert variable["valueFrom"]["secretKeyRef"]["name"] in BY_HAND
            else:
                assert not any(word in variable["name"] for word in ("SECRET", "PASSWORD", "DATABASE"))
        volumes = {volume["name"] for volume in pod["volumes"]}
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
    claims = [volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"] if len(volume) > 1
              and "persistentVolumeClaim" in volume]  # fmt: skip
    assert all(("PersistentVolumeClaim", claim) in here for claim in claims)
    assert not [each for each in ALL if each["kind"] == "Secret"]


def test_the_platform_applies_all_its_files() -> None:
    kustomization = yaml.safe_load((PLATFORM / "kustomization.yaml").read_text(encoding="utf-8"))
    files = {path.name for path in PLATFORM.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) == files


def test_the_job_and_the_ray_job_run_commands_that_are_ones() -> None:
    (job,) = (each for each in ALL if each["kind"] == "Job")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    alone = check_command(container["args"])
    assert alone.engine.name == "processes"
    program, *arguments = shlex.split(RAY_JOB["spec"]["entrypoint"])
    assert program == "mobius"
    ray = check_command(arguments)
    assert (ray.engine.name, ray.engine.ray.address) == ("ray", "auto")
    gpus = sum(group["replicas"] for group in GROUPS[1:] if group["groupName"] == "gpu")
    assert ray.engine.gpus == gpus
    assert str(ray.clean.lama.weights).startswith("/models/")
