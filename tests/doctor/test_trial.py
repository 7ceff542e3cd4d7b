"""A model is tried in a process of its own: whatever happens there becomes a measure or a sentence."""

import re
import signal

import psutil

from pipeline.doctor import look_at
from pipeline.doctor.examine import try_model
from pipeline.doctor.trial import LIMIT_SECONDS, alone, name_death, try_stage
from tests.doctor.test_look import configured
from tests.doctor.test_look import served as served_by
from tests.models.hf import tiny
from tests.models.hf.recipe import SUMMARY, teach_to_chat
from tests.models.served.server import Reply, fails, says, serving

KEY = "sk-very-secret-key"


def try_summary(config):
    return try_stage(config, "summary")


def trouble_of(config):
    trial = try_summary(config)
    assert trial.trouble is not None
    return trial.trouble


CHECKS = {"language_model": "none"}  # what a random model writes is in no language; and it takes seconds to load


def served(url, **settings):
    return {**served_by(url, **settings), "check": CHECKS}


def summary_by(folder):
    return configured(
        summary={"engine": "hf", "hf": {"model": str(folder), "device": "cpu", "max_new_tokens": 24}, "check": CHECKS}
    )


def test_a_model_of_transformers_is_opened_asked_and_measured(tmp_path):
    config = summary_by(teach_to_chat(tiny.save_llama(tmp_path / "tiny llama"), SUMMARY))
    report = try_model(look_at("summary", config), config, limit_seconds=LIMIT_SECONDS)
    assert report.ran, report.trouble
    assert re.fullmatch("weights [0-9a-f]{12}", report.revision)
    assert report.device == "cpu"
    assert report.gpu_memory_bytes is None
    assert report.memory_bytes > 1 << 20
    assert report.seconds_to_open > 0
    assert report.seconds_per_sample > 0


def test_a_served_model_that_answers_runs():
    with serving(lambda body: says("A cat jumps.")) as server:
        trial = try_summary(configured(summary=served(server.url, revision="v1")))
    assert trial.trouble is None
    assert trial.measured.identity.startswith("tiny@v1")
    assert trial.measured.device is None


def test_answers_that_no_check_lets_pass_are_told_with_their_reason():
    with serving(lambda body: says("I'm sorry, I cannot help with that.")) as server:
        config = configured(summary=served(server.url))
        report = try_model(look_at("summary", config), config, limit_seconds=LIMIT_SECONDS)
    assert report.ran is False
    assert "it does not answer a plain sample (refused_caption)" in report.trouble
    assert "quarantined" in report.remedy
    assert report.device == "at the server"
    assert report.seconds_to_open > 0, "so far it came"


def test_a_model_that_hangs_is_given_up_at_the_limit():
    with serving(lambda body: Reply(hang=True)) as server:
        trial = try_stage(configured(summary=served(server.url)), "summary", limit_seconds=2)
    assert trial.trouble.sentence == "the model was not opened within 2 s"
    assert "--limit" in trial.trouble.remedy


def test_a_process_that_is_killed_is_a_sentence():
    def kill_who_asks(body):
        for process in psutil.Process().children():
            if "spawn_main" in " ".join(process.cmdline()):
                process.kill()
        return says("A cat jumps.")

    with serving(kill_who_asks) as server:
        trouble = trouble_of(configured(summary=served(server.url)))
    assert trouble.sentence == "its process was killed, as happens where memory runs out"


def test_a_key_that_a_server_repeats_is_in_no_report(monkeypatch):
    monkeypatch.setenv("TINY_KEY", KEY)
    with serving(lambda body: fails(401, f"{KEY} is no key")) as server:
        trouble = trouble_of(configured(summary=served(server.url, api_key_env="TINY_KEY")))
    assert "*** is no key" in trouble.sentence
    assert KEY not in str(trouble)


def test_a_crash_is_told_with_the_last_that_was_heard(tmp_path):
    log = tmp_path / "log.txt"
    log.write_text("loading\nfree(): invalid pointer\n\n")
    assert name_death(-signal.SIGABRT, log).sentence == "its process was ended by SIGABRT: free(): invalid pointer"
    assert name_death(3, tmp_path / "none").sentence == "its process ended with exit code 3"


def test_a_stage_is_tried_alone_whatever_the_others_lack():
    config = configured(
        text={"max_frames_read": 1},
        clean={"max_text_area": 0.1},
        image_caption={"engine": "hf", "hf": {"model": "nobody/nothing"}},
    )
    assert alone(config, "image_caption").image_caption == config.image_caption
    assert alone(config, "clean").text == config.text, "which it reads with"
    assert alone(config, "summary").image_caption == configured().image_caption
