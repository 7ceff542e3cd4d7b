"""What can be seen of the models of a config without opening any: for the start of a run."""

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec

import pytest

from pipeline.blame import answer_or_blame
from pipeline.config import CurateConfig
from pipeline.doctor import MODEL_STAGES, examine, look_at, require_models
from pipeline.doctor.licence import licence_of
from pipeline.doctor.sticker import sticker_input
from pipeline.models.lama import BIG_LAMA_SHA256
from pipeline.plan import plan_stages
from schemas.errors import UserError
from tests.conftest import ROOT
from tests.models.hf import tiny
from tests.models.served.server import fails, serving

NOBODY = "http://127.0.0.1:9/v1"


def configured(**stages):
    return CurateConfig(root="none-such", source={"path": "gifs"}, **stages)


def served(url, **settings):
    return {"engine": "served", "served": {"endpoints": [url], "model": "tiny", **settings}}


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    return tiny.save_llama(tmp_path_factory.mktemp("models") / "tiny-llama")


def summary_of(folder, **settings):
    return configured(summary={"engine": "hf", "hf": {"model": str(folder), **settings}})


def test_the_embedded_models_are_ready_in_no_time_and_without_torch():
    code = (
        "import sys; from pipeline.config import CurateConfig; from pipeline.doctor import require_models\n"
        "require_models(CurateConfig(root='none-such', source={'path': 'gifs'}))\n"
        "print([name for name in ('torch', 'transformers', 'rapidocr', 'huggingface_hub') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_model_of_the_defaults_has_a_report():
    reports = list(examine(configured(), run_sample=False))
    assert [each.stage for each in reports] == list(MODEL_STAGES)
    assert all(each.is_here and each.ran is None and each.trouble is None and each.revision for each in reports)
    assert reports[0].where == "in the package rapidocr"
    assert reports[0].size_bytes > 1_000_000


def test_all_troubles_are_told_at_once_each_with_what_to_do_and_no_key(monkeypatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    monkeypatch.setenv("SOME_KEY", "sk-very-secret")
    config = configured(
        image_caption={"engine": "hf", "hf": {"model": "nobody/nothing@v1"}},
        video_caption=served(NOBODY, api_key_env="SOME_KEY"),
        summary=served(NOBODY),
        translation=served(NOBODY, api_key_env="NO_SUCH_KEY"),
    )
    with pytest.raises(UserError) as told:
        require_models(config)
    sentence = str(told.value)
    lines = sentence.splitlines()
    assert [line.partition(":")[0] for line in lines[1::2]] == list(MODEL_STAGES[2:])
    assert all(line.startswith("    -> ") for line in lines[2::2])
    assert "image_caption.hf.model = 'nobody/nothing@v1': no such folder, and no such model in the hub" in sentence
    assert "mobius models fetch CONFIG" in sentence
    assert f"video_caption: {NOBODY} does not answer (Connection refused)\n    -> start the server" in sentence
    assert "'NO_SUCH_KEY': this environment variable is not set" in lines[-2]
    assert f"{NOBODY} does not answer" in lines[-2], "both troubles are told"
    assert lines[-1].startswith("    -> set the environment variable NO_SUCH_KEY; start the server")
    assert "sk-very-secret" not in sentence


def test_a_server_that_answers_anything_is_there():
    with serving(lambda body: fails(500)) as server:
        require_models(configured(summary=served(server.url), translation=served(server.url)))


def test_one_silent_endpoint_of_two_is_told():
    with serving() as server:
        config = configured(summary=served(server.url, endpoints=[server.url, NOBODY]))
        report = look_at("summary", config)
    assert report.trouble.startswith(f"{NOBODY} does not answer")
    assert not report.is_here


def test_a_folder_is_described_by_what_lies_in_it(llama, tmp_path):
    folder = tmp_path / "llama"
    shutil.copytree(llama, folder)
    (folder / "README.md").write_text("---\nlanguage: en\nlicense: apache-2.0\n---\nlicense: nothing\n")
    report = look_at("summary", summary_of(folder, device="cpu"))
    assert (report.trouble, report.is_here, report.where) == (None, True, str(folder))
    assert (report.licence, report.device) == ("apache-2.0", "cpu")
    assert report.size_bytes == sum(path.stat().st_size for path in folder.iterdir())


def test_a_folder_that_is_not_whole_is_missing(llama, tmp_path):
    for name, sentence in {
        "config.json": "expected the config of a model",
        "model.safetensors": "no weights, expected *.safetensors",
        "tokenizer.json": "no tokenizer",
    }.items():
        folder = tmp_path / name
        shutil.copytree(llama, folder)
        (folder / name).unlink()
        report = look_at("summary", summary_of(folder))
        assert sentence in report.trouble
        assert not report.is_here
    folder = tmp_path / "sharded"
    shutil.copytree(llama, folder)
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "model-00001-of-00002.safetensors is missing" in look_at("summary", summary_of(folder)).trouble


def test_a_model_that_was_not_made_to_chat_is_no_summarizer(llama, tmp_path):
    folder = tmp_path / "tiny-base"
    shutil.copytree(llama, folder)
    (folder / "chat_template.jinja").unlink()
    report = look_at("summary", summary_of(folder))
    assert report.trouble == f"{folder}: has no chat template, expected a model that was made to chat"
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "chat_template": "{{ messages }}"}))
    assert look_at("summary", summary_of(folder)).trouble is None


def test_a_gpu_that_is_not_there_is_told(llama):
    torch = pytest.importorskip("torch", reason="pip install 'mobius[hf]'")
    if torch.cuda.is_available():
        pytest.skip("this machine has the GPU that is to be missed")
    assert "no GPU" in look_at("summary", summary_of(llama, device="cuda")).trouble


def test_a_tokenizer_of_the_checks_that_is_not_here_is_told(llama):
    config = configured(summary=summary_of(llama).summary.model_dump() | {"check": {"tokenizer": "nobody/clip"}})
    assert "check.tokenizer = 'nobody/clip'" in look_at("summary", config).trouble


def test_wrong_weights_of_lama_are_told_with_the_digest_that_is_known(tmp_path):
    pytest.importorskip("simple_lama_inpainting", reason="pip install --no-deps simple-lama-inpainting")
    (tmp_path / "big-lama.pt").write_bytes(b"something else")
    report = look_at("clean", configured(clean={"inpainter": "lama", "lama": {"weights": tmp_path / "big-lama.pt"}}))
    assert "it was not loaded" in report.trouble
    assert BIG_LAMA_SHA256 in report.remedy


def test_weights_of_lama_that_are_not_there_are_asked_for_once(tmp_path):
    pytest.importorskip("simple_lama_inpainting", reason="pip install --no-deps simple-lama-inpainting")
    report = look_at("clean", configured(clean={"inpainter": "lama", "lama": {"weights": tmp_path / "big-lama.pt"}}))
    assert f"{report.trouble} {report.remedy}".count("get big-lama.pt") == 1


@pytest.mark.parametrize("engine", ["paddle", "onnxruntime"])
def test_paddleocr_with_its_own_engine_needs_paddlepaddle(tmp_path, monkeypatch, engine):
    if find_spec("paddle") is not None:
        pytest.skip("the package that is to be missed is installed")
    (tmp_path / "paddleocr").mkdir()
    (tmp_path / "paddleocr" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    folders = {"detection": tmp_path / "det", "recognition": tmp_path / "rec", "engine": engine}
    report = look_at("text", configured(text={"reader": {"engine": "paddleocr", "paddleocr": folders}}))
    assert (report.trouble == "the package paddle is not installed") == (engine == "paddle")
    assert ("pip install paddlepaddle or paddlepaddle-gpu" in report.remedy) == (engine == "paddle")


@pytest.mark.parametrize(
    ("files", "licence"),
    [
        ({"README.md": "---\nlicense: mit\n---\n"}, "mit"),
        ({"README.md": "---\nlicense: other\nlicense_name: llama2\n---\n"}, "llama2"),
        ({"README.md": "---\nlicense: other\n---\n"}, "other"),
        ({"README.md": "license: mit\n", "LICENSE.txt": "..."}, "see LICENSE.txt"),
        ({}, "not stated"),
    ],
)
def test_a_licence_is_what_the_folder_says(tmp_path, files, licence):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert licence_of(tmp_path) == licence


def test_the_sticker_gives_an_inpainter_something_to_do():
    plans = plan_stages(configured())
    (clean,) = answer_or_blame([sticker_input()], plans["clean"])
    assert clean.invented_pixels > 1000
