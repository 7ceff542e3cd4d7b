"""One event is one line, whatever its fields hold; metrics keep to the reasons we know."""

import json
import logging
from collections.abc import Iterator

import pytest
from prometheus_client import generate_latest

from flows.log import LOGGER, log_event, sentence_of, use_log
from flows.metrics import RunMetrics
from pipeline.chunk import ChunkCount
from pipeline.operations_config import LogConfig

HOSTILE = 'a\nb\x1b[31m "run_ended" \N{RIGHT-TO-LEFT OVERRIDE}\x9b' + "x" * 10_000


@pytest.fixture(autouse=True)
def log_is_as_before() -> Iterator[None]:
    handlers, level, propagate = LOGGER.handlers, LOGGER.level, LOGGER.propagate
    yield
    LOGGER.handlers, LOGGER.level, LOGGER.propagate = handlers, level, propagate


def line(capsys: pytest.CaptureFixture[str]) -> str:
    written = capsys.readouterr().err
    assert written.count("\n") == 1
    return written.rstrip("\n")


def test_a_hostile_value_stays_in_its_field_and_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    use_log(LogConfig(format="json"), "run-1")
    log_event("no_room", level=logging.WARNING, stage="text", reason=HOSTILE)
    written = line(capsys)
    assert written.isascii()
    assert written.isprintable()
    read = json.loads(written)
    assert (read["event"], read["level"], read["run"], read["reason"]) == ("no_room", "warning", "run-1", HOSTILE[:300])


def test_text_quotes_what_is_no_plain_word(capsys: pytest.CaptureFixture[str]) -> None:
    use_log(LogConfig(format="text"), "run-1")
    log_event("no_room", stage="text", reason=HOSTILE, root="/data/贴图", seconds=1.23456)
    written = line(capsys)
    assert written.isprintable()
    assert ' info no_room stage=text reason="a\\nb\\u001b[31m' in written
    assert written.endswith("root=/data/贴图 seconds=1.235")


def test_bars_let_only_warnings_through_and_a_level_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    use_log(LogConfig(format="bars"), "run-1")
    log_event("stage_started", stage="text")
    assert capsys.readouterr().err == ""
    log_event("retry", level=logging.WARNING, task="answer")
    assert "warning retry task=answer" in line(capsys)
    use_log(LogConfig(format="text", level="error"), "run-1")
    log_event("retry", level=logging.WARNING)
    assert capsys.readouterr().err == ""


def test_of_an_error_only_its_first_line_is_told() -> None:
    assert sentence_of(OSError("no space\nsecret request body")) == "OSError: no space"


def test_a_reason_that_we_do_not_know_is_counted_as_other() -> None:
    metrics = RunMetrics()
    count = ChunkCount(3, {"corrupt": 2, "request_refused": 1, "<script>": 4, "made up": 5}, 1.5, 0.5, 10.0)
    metrics.count_chunk("probe", count, num_retries=1)
    text = generate_latest(metrics.registry).decode()
    assert 'mobius_failed_total{reason="other",stage="probe"} 9.0' in text
    assert 'mobius_failed_total{reason="corrupt",stage="probe"} 2.0' in text
    assert 'mobius_failed_total{reason="request_refused",stage="probe"} 1.0' in text
    assert "script" not in text


def test_counts_of_chunks_add_up_by_reason() -> None:
    total = ChunkCount(1, {"corrupt": 1}, 1.0) + ChunkCount(2, {"corrupt": 1, "too_large": 2}, 0.5, 0.25, 3.0)
    assert total == ChunkCount(3, {"corrupt": 2, "too_large": 2}, 1.5, 0.25, 3.0)
    assert total.num_failed == 4
