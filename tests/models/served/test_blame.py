"""A poisoned sample is blamed alone and its mates answered; a dead server marks nobody, and work goes on."""

import threading

import pytest

from pipeline.blame import Failure, answer_or_blame
from pipeline.models.served import ServedConfig
from pipeline.models.served.errors import ServerFailed
from pipeline.plan import StagePlan
from pipeline.stages.stage import Asked, Stage, StageInput, no_identity
from schemas.answers import SummaryAnswer
from schemas.errors import MachineFault
from schemas.sample import Sample
from tests.models.served.server import Reply, echo, fails, last_line, says, serving


def make_inputs(texts):
    return [StageInput(Sample(text, "s", "x.gif", "joy", "{}", b"", 0), answers={}) for text in texts]


def make_plan(model, name):
    """A stage that translates the key of each sample; `name` keeps the models of different tests apart."""

    def answer(inputs, *, config, model):
        return [SummaryAnswer(text, model.identity) for text in model.translate([each.sample.key for each in inputs])]

    stage = Stage(name, 1, Asked.ALL, (), no_identity, lambda config: model, answer)
    return StagePlan(stage, ServedConfig(endpoints=("http://x/v1",), model="m", prompt="p"), "f", frozenset())


def asked_texts(server):
    """What was asked, the probes left out."""
    return [text for text in server.asked if text != "A cat."]


TEXTS = [f"text {n}" for n in range(16)]
POISONED = [*TEXTS[:11], "poison", *TEXTS[11:]]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (fails(500, "index out of range"), "server_failed"),
        (Reply(body=says("lost").body, cut=True), "server_failed"),
        (Reply(body=b"{"), "unusable_answer"),
        (fails(400, "too long"), "request_refused"),
        (says("on and on", "length"), "answer_truncated"),
    ],
    ids=["500", "cut", "malformed", "400", "length"],
)
def test_one_poisoned_sample_is_blamed_alone_and_its_mates_are_asked_once(translator, request, reply, reason):
    with serving(lambda body: reply if last_line(body) == "poison" else echo(body)) as server:
        plan = make_plan(translator(server.url, max_retries=2), request.node.name)
        results = answer_or_blame(make_inputs(POISONED), plan)
        failures = [result for result in results if isinstance(result, Failure)]
        assert [failure.reason for failure in failures] == [reason]
        assert results.index(failures[0]) == 11
        assert [each.summary for each in results if not isinstance(each, Failure)] == [f"[{text}]" for text in TEXTS]
        assert sorted(text for text in asked_texts(server) if text != "poison") == sorted(TEXTS)
        assert asked_texts(server).count("poison") <= 4  # three attempts and one alone; not again for every half


def test_a_sample_for_which_the_server_hangs_is_blamed_alone(translator, request):
    with serving(lambda body: Reply(hang=True) if last_line(body) == "poison" else echo(body)) as server:
        plan = make_plan(translator(server.url, timeout=1.5, max_retries=0), request.node.name)
        first, second, third = answer_or_blame(make_inputs(["a", "poison", "b"]), plan)
        assert (first.summary, third.summary) == ("[a]", "[b]")
        assert second.reason == "server_failed"
        assert "did not answer within timeout" in second.detail


def test_a_poisoned_sample_in_a_batch_of_its_own_is_blamed(translator):
    with (
        serving(lambda body: fails(500) if last_line(body) == "poison" else echo(body)) as server,
        pytest.raises(ServerFailed, match="answers 500"),
    ):
        translator(server.url).translate(["poison"])


def test_a_sample_that_a_tired_server_answers_when_asked_alone_is_answered(translator):
    """An overloaded server fails while others are in flight; nobody is to blame."""
    lock, seen = threading.Lock(), []

    def script(body):
        with lock:
            seen.append(last_line(body))
        return fails(500, "overloaded") if last_line(body) == "heavy" and "A cat." not in seen else echo(body)

    with serving(script) as server:
        assert translator(server.url).translate(["a", "heavy", "b"]) == ["[a]", "[heavy]", "[b]"]


def test_a_server_that_dies_while_a_suspect_is_asked_alone_blames_nobody(translator):
    with serving() as server:

        def script(body):
            if last_line(body) == "A cat.":
                server.script = lambda body: threading.Thread(target=server.kill).start() or Reply(hang=True)
                return echo(body)
            return fails(500)

        server.script = script
        with pytest.raises(MachineFault, match="connection failed"):
            translator(server.url, max_retries=1).translate(["suspect"])


@pytest.mark.parametrize(
    "reply", [fails(500), fails(503), Reply(body=b"{"), Reply(body=says("lost").body, cut=True)], ids=repr
)
def test_where_everything_fails_the_machine_is_at_fault_and_the_rest_is_not_asked(translator, request, reply):
    with serving(lambda body: reply) as server:
        plan = make_plan(translator(server.url, max_retries=2, max_in_flight=2), request.node.name)
        with pytest.raises(MachineFault, match=r"127\.0\.0\.1"):
            answer_or_blame(make_inputs(POISONED), plan)
        assert len(set(asked_texts(server))) <= 4


def test_a_dead_server_is_the_machines_fault(translator, request):
    with serving() as server:
        url = server.url
    with pytest.raises(MachineFault, match="connection failed"):
        answer_or_blame(make_inputs(TEXTS), make_plan(translator(url), request.node.name))


def test_a_server_killed_in_mid_run_marks_nobody_and_the_work_goes_on_where_it_was(translator, request):
    with serving() as server:
        answered_first = TEXTS[:6]

        def dies_after_six(body):
            if last_line(body) not in answered_first:
                threading.Thread(target=server.kill).start()
                return Reply(hang=True)
            return echo(body)

        server.script = dies_after_six
        plan = make_plan(translator(server.url, max_in_flight=1, max_retries=1), request.node.name)
        with pytest.raises(MachineFault, match="connection failed"):
            answer_or_blame(make_inputs(TEXTS), plan)
        assert server.asked[:6] == answered_first

        server.script = echo
        server.bodies.clear()
        server.start()
        results = answer_or_blame(make_inputs(TEXTS), plan)
        assert [each.summary for each in results] == [f"[{text}]" for text in TEXTS]
        assert sorted(server.asked) == sorted(TEXTS[6:])


def test_a_server_that_comes_back_within_the_retries_is_not_even_noticed(opened, request):
    """The pauses are where it starts again."""
    from pipeline.models.served import ServedTranslationConfig, ServedTranslator

    with serving() as server:
        server.kill()
        waits = []

        async def start_again(seconds):
            waits.append(seconds)
            if len(waits) == 1:
                server.start()

        config = ServedTranslationConfig(endpoints=(server.url,), model="tiny")
        model = ServedTranslator(config, pause=start_again)
        assert model.translate(["a", "b"]) == ["[a]", "[b]"]
        model.close()


def test_a_sample_that_cannot_be_encoded_costs_its_mates_nothing(opened):
    import numpy as np

    from pipeline.models.served import ServedImageCaptionConfig, ServedImageCaptioner

    good = [np.full((8, 8, 4), grey, np.uint8) for grey in (10, 20)]
    with serving(lambda body: says("a sticker")) as server:
        config = ServedImageCaptionConfig(endpoints=(server.url,), model="tiny")
        model = opened(ServedImageCaptioner, config)
        with pytest.raises(Exception, match="empty image"):
            model.caption_images([*good, np.zeros((0, 0, 4), np.uint8)], [None] * 3)
        assert len(server.bodies) == 2
        assert model.caption_images(good, [None] * 2) == ["a sticker"] * 2
        assert len(server.bodies) == 2
