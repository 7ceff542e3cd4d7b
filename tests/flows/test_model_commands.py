"""`mobius doctor` and `mobius models`, as a user runs them, with a hub on loopback."""

import json
from pathlib import Path

import pytest

from flows.hub_models import read_wanted
from pipeline.doctor import MODEL_STAGES
from tests.conftest import ROOT
from tests.flows.mobius import Mobius, curate_arguments
from tests.hub.hub_server import serving_hub
from tests.media.gifs import encode_gif
from tests.models.hf import tiny

MISSING = 2
NOBODY = '["http://127.0.0.1:9/v1"]'
SERVED_BY_NOBODY = ("translation.served.model=m", f"translation.served.endpoints={NOBODY}")


@pytest.fixture(scope="module")
def command() -> Mobius:
    return Mobius({}, ROOT)


def write_config(path: Path, model: str) -> Path:
    text = f'root = "none-such"\n[source]\npath = "none-such-either"\n[summary]\nengine = "hf"\nhf.model = "{model}"\n'
    path.write_text(text + 'hf.max_new_tokens = 6\ncheck.language_model = "none"\n')
    return path


def test_without_a_config_every_embedded_model_runs(command: Mobius) -> None:
    reports = command.json("doctor")
    assert [each["stage"] for each in reports] == list(MODEL_STAGES)
    for each in reports:
        assert each["ran"], each
        assert each["trouble"] is None
        assert each["device"] == "cpu"
        assert each["seconds_to_open"] >= 0
        assert each["seconds_per_sample"] > 0


def test_what_is_missing_is_told_with_what_to_do_and_exit_code_2(command: Mobius, tmp_path: Path) -> None:
    config = write_config(tmp_path / "c.toml", "tiny/llama-chat")
    served = ("translation.engine=served", *SERVED_BY_NOBODY)
    done = command.run("doctor", str(config), *served, "--quick", HF_HUB_CACHE=str(tmp_path / "cache"))
    assert done.returncode == MISSING
    lines = done.stdout.splitlines()
    place = lines.index(
        "summary: summary.hf.model = 'tiny/llama-chat': no such folder, and no such model in the hub cache"
    )
    assert lines[place + 1].strip() == "-> mobius models fetch CONFIG, or name a folder that is there"
    assert "translation: http://127.0.0.1:9/v1 does not answer (Connection refused)" in lines
    assert done.stderr == ""


def test_a_model_is_fetched_by_its_config_and_runs_offline_ever_after(command: Mobius, tmp_path: Path) -> None:
    published = tiny.save_llama(tmp_path / "published")
    (published / "README.md").write_text("---\nlicense: mit\n---\n")
    config = write_config(tmp_path / "c.toml", "tiny/llama-chat")
    cache = {"HF_HUB_CACHE": str(tmp_path / "cache"), "HF_HUB_DISABLE_TELEMETRY": "1"}
    with serving_hub() as hub:
        commit = hub.add("tiny/llama-chat", published)
        done = command.run("models", "fetch", str(config), HF_ENDPOINT=hub.url, **cache)
    assert done.returncode == 0, done.stderr
    comment, line = done.stdout.splitlines()
    assert comment.startswith(f"# tiny/llama-chat: commit {commit}, ")
    assert line == f'summary.hf.model = "tiny/llama-chat@{commit}"'
    offline = {**cache, "HF_HUB_OFFLINE": "1"}
    listed = command.run("models", "list", str(config), line.replace(" ", ""), "--json", **offline)
    summary = next(each for each in json.loads(listed.stdout)["models"] if each["stage"] == "summary")
    assert (summary["is_here"], summary["revision"], summary["licence"]) == (True, commit[:12], "mit")
    done = command.run("models", "fetch", str(config), HF_ENDPOINT=hub.url, **offline)
    assert (done.returncode, "HF_HUB_OFFLINE is set" in done.stderr) == (MISSING, True)


def test_what_the_hub_does_not_have_is_described_where_a_config_uses_it(command: Mobius) -> None:
    lama = ("clean.inpainter=lama", "clean.lama.weights=none-such/big-lama.pt")
    digest = "344c77bbcb158f17dd143070d1e789f38a66c04202311ae3a258ef66667a9ea9"
    listed = command.run("models", "list", *lama)
    assert "LaMa is no model of the hub" in listed.stdout
    assert digest in listed.stdout
    assert "PaddleOCR is no model" not in listed.stdout
    assert list(json.loads(command.run("models", "list", *lama, "--json").stdout)["not_on_the_hub"]) == ["LaMa"]
    assert "no model of the hub" not in command.run("models", "list").stdout


def test_a_config_that_names_no_model_of_the_hub_fetches_nothing(command: Mobius) -> None:
    assert "No model of the hub is named" in command.ok("models", "fetch", "flows/configs/laptop.toml")


def test_a_training_config_names_its_base_part_by_part() -> None:
    wanted = read_wanted(ROOT / "flows" / "configs" / "train-paper.toml")
    assert [(each.key, each.repo, each.inside) for each in wanted] == [
        ("base.vae", "stabilityai/stable-diffusion-2-1", "vae"),
        ("base.text_encoder", "OFA-Sys/chinese-clip-vit-huge-patch14", ""),
    ]


@pytest.mark.parametrize(
    ("of_translation", "sentence"),
    [
        (("translation.engine=served", *SERVED_BY_NOBODY), "http://127.0.0.1:9/v1 does not answer"),
        ((), "translation.engine = 'embedded' translates what embedded models write only, summary.engine is 'served'"),
    ],
)
def test_a_run_whose_models_will_not_do_writes_nothing(
    command: Mobius, tmp_path: Path, of_translation: tuple[str, ...], sentence: str
) -> None:
    served = ("summary.engine=served", *(each.replace("translation", "summary") for each in SERVED_BY_NOBODY))
    (tmp_path / "source/joy").mkdir(parents=True)
    (tmp_path / "source/joy/a.gif").write_bytes(encode_gif([(200, 30, 30), (30, 30, 200)]))
    done = command.run(*curate_arguments(tmp_path / "dataset", tmp_path / "source", *served, *of_translation))
    assert done.returncode == MISSING
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "dataset").exists()
