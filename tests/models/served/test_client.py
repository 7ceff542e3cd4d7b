"""Requests of a batch travel together, in order, bounded; what may pass is tried again, and paced by the server."""

import json
import threading

import pytest

from pipeline.models.served.errors import AnswerFiltered, AnswerTruncated, RequestRefused, UnusableAnswer
from pipeline.models.served.memory import Memory
from pipeline.models.served.request import Request
from schemas.errors import MachineFault, UserError
from tests.models.served.server import Reply, echo, fails, last_line, says, serving


def first_time_for_each(reply):
    """Answer every text with `reply` when it first comes, then as it should be."""
    seen, lock = set(), threading.Lock()

    def script(body):
        with lock:
            is_new = last_line(body) not in seen
            seen.add(last_line(body))
        return reply if is_new else echo(body)

    return script


def test_texts_come_back_in_the_order_in_which_they_were_asked(translator):
    with serving() as server:
        texts = [f"text {n}" for n in range(40)]
        assert translator(server.url).translate(texts) == [f"[{text}]" for text in texts]
        assert len(server.bodies) == 40


def test_requests_are_in_flight_together_up_to_the_bound(translator):
    """Nobody is answered before `max_in_flight` requests are there; one more would be noted as in flight."""
    barrier = threading.Barrier(5, timeout=30)

    def script(body):
        barrier.wait()
        return echo(body)

    with serving(script) as server:
        translator(server.url, max_in_flight=5).translate([f"text {n}" for n in range(20)])
        assert server.most_in_flight == 5


def test_equal_requests_of_a_batch_are_asked_once(translator):
    with serving() as server:
        assert translator(server.url).translate(["a", "b", "a", "a"]) == ["[a]", "[b]", "[a]", "[a]"]
        assert sorted(server.asked) == ["a", "b"]


def test_a_request_says_what_the_config_says(translator):
    with serving() as server:
        translator(server.url, max_new_tokens=9, seed=4, prompt="Say it in Chinese.").translate(["a cat"])
        assert server.bodies == [
            {
                "model": "tiny",
                "messages": [{"role": "user", "content": "Say it in Chinese.\n\na cat"}],
                "max_tokens": 9,
                "temperature": 0.0,
                "seed": 4,
            }
        ]
        translator(server.url, seed=None).translate(["a cat"])
        assert "seed" not in server.bodies[-1]


def test_tokens_are_counted_as_the_server_counts_them(translator):
    with serving(first_time_for_each(fails(500))) as server:
        model = translator(server.url)
        model.translate(["a", "b"])
        assert (model.usage.num_requests, model.usage.num_answers) == (4, 2)
        assert (model.usage.tokens_in, model.usage.tokens_out) == (14, 6)
        assert model.usage.seconds > 0


@pytest.mark.parametrize(
    "reply",
    [fails(500), fails(503), fails(408), Reply(body=b"<html>"), Reply(body=b'{"choices": []}'), says(""), says(None)],
    ids=["500", "503", "408", "html", "no choices", "empty", "no text"],
)
def test_what_may_pass_is_tried_again_after_a_pause(translator, pauses, reply):
    with serving(first_time_for_each(reply)) as server:
        assert translator(server.url).translate(["a"]) == ["[a]"]
        assert len(pauses) == 1
        assert 0.25 <= pauses[0] <= 0.5


def test_an_answer_that_breaks_off_in_the_middle_is_asked_again(translator):
    whole = says("half of this is lost")
    with serving(first_time_for_each(Reply(body=whole.body, cut=True))) as server:
        assert translator(server.url).translate(["a", "b"]) == ["[a]", "[b]"]


def test_pauses_double_and_are_bounded(translator, pauses):
    with serving(lambda body: fails(500)) as server, pytest.raises(MachineFault):
        translator(server.url, max_retries=8).translate(["a"])
    for retry, pause in enumerate(pauses[:8]):
        longest = min(30, 0.5 * 2**retry)
        assert longest / 2 <= pause <= longest


def test_a_busy_server_is_given_the_time_it_asks_for(translator, pauses):
    with serving(first_time_for_each(fails(429, headers={"Retry-After": "7"}))) as server:
        assert translator(server.url).translate(["a"]) == ["[a]"]
        assert any(6 < pause <= 7 for pause in pauses)


def test_a_server_that_stays_busy_is_the_machines_fault(translator):
    with serving(lambda body: fails(429)) as server, pytest.raises(MachineFault, match="answers 429"):
        translator(server.url, max_retries=2).translate(["a"])


def test_a_server_busy_for_an_hour_is_not_waited_for(translator, pauses):
    with serving(lambda body: fails(429, headers={"Retry-After": "3600"})) as server:
        model = translator(server.url)
        with pytest.raises(MachineFault):
            model.translate(["a"])
        assert len(server.bodies) == 1
        assert not pauses
        with pytest.raises(MachineFault):
            model.translate(["a"])  # as when the task is tried again
        assert max(pauses) <= 120


@pytest.mark.parametrize("reply", [Reply(hang=True), Reply(drip=True)], ids=["hang", "drip"])
def test_a_server_that_comes_to_no_end_is_given_up_after_the_timeout(translator, reply):
    """The time limit is for the whole answer, not for its next byte."""
    with (
        serving(lambda body: reply) as server,
        pytest.raises(MachineFault, match=r"did not answer within timeout = 0\.2 s"),
    ):
        translator(server.url, timeout=0.2, max_retries=0).translate(["a"])


@pytest.mark.parametrize(
    ("reply", "error", "said"),
    [
        (fails(400, "longer than the context"), RequestRefused, "longer than the context"),
        (fails(413, "too big"), RequestRefused, "too big"),
        (fails(422, "no such picture"), RequestRefused, "no such picture"),
        (says("cut in the mid", "length"), AnswerTruncated, "after 3 tokens: cut in the mid"),
        (says("", "content_filter"), AnswerFiltered, "content_filter"),
        (says(None, refusal="I must not"), AnswerFiltered, "I must not"),
    ],
)
def test_what_is_one_samples_fault_is_said_at_once_with_its_reason(translator, reply, error, said):
    with serving(lambda body: reply if "poison" in last_line(body) else echo(body)) as server:
        with pytest.raises(error, match=said):
            translator(server.url).translate(["a", "poison", "b"])
        assert server.asked.count("poison") == 1


@pytest.mark.parametrize("body", [b"{", b'{"choices": "none"}', b'"yes"', says("").body])
def test_an_answer_that_stays_unusable_is_the_samples(translator, body):
    with (
        serving(lambda asked: Reply(body=body) if "poison" in last_line(asked) else echo(asked)) as server,
        pytest.raises(UnusableAnswer),
    ):
        translator(server.url, max_retries=1).translate(["a", "poison"])


@pytest.mark.parametrize(
    ("reply", "what_to_do"),
    [
        (fails(401, "who are you"), "check the API key"),
        (fails(403, "not for you"), "may not use this model"),
        (fails(404, "no model tiny"), "that `model` is served there"),
        (fails(405, "POST?"), "base URL of an OpenAI-compatible server"),
        (fails(429, "pay first", code="insufficient_quota"), "out of funds"),
    ],
)
def test_what_a_person_has_to_repair_names_the_endpoint_and_what_to_do(translator, reply, what_to_do):
    with serving(lambda body: reply) as server:
        with pytest.raises(UserError, match=what_to_do) as caught:
            translator(server.url, max_in_flight=1).translate([f"text {n}" for n in range(20)])
        assert server.url in str(caught.value)
        assert json.loads(reply.body)["error"]["message"] in str(caught.value)
        assert len(server.bodies) == 1  # the others are not asked for nothing


def test_a_server_that_refuses_everything_is_the_persons_to_repair_not_the_samples(translator):
    with (
        serving(lambda body: fails(400, "tiny takes no such requests")) as server,
        pytest.raises(UserError, match=r"even a plain request is refused: .*tiny takes no such requests"),
    ):
        translator(server.url).translate(["a", "b"])


def test_a_client_can_be_used_inside_somebody_elses_event_loop(translator):
    import asyncio

    async def inside(model):
        return model.translate(["a"])

    with serving() as server:
        assert asyncio.run(inside(translator(server.url))) == ["[a]"]


def test_without_the_library_it_is_said_how_to_get_it(translator, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(UserError, match=r"pip install 'mobius\[served\]'"):
        translator("http://x/v1")


def test_what_is_remembered_is_bounded():
    memory = Memory(size=2)
    for digest in (b"a", b"b"):
        memory.keep(digest, digest)
    assert memory.get(b"a") == b"a"
    memory.keep(b"c", b"c")
    assert [memory.get(digest) for digest in (b"a", b"b", b"c")] == [b"a", None, b"c"]


def test_what_was_forgotten_is_asked_again(translator):
    """As a canary does: the same texts one by one, then together."""
    with serving() as server:
        model = translator(server.url)
        alone = [model.translate([text])[0] for text in ("a", "b")]
        assert model.translate(["a", "b"]) == alone
        assert len(server.bodies) == 2
        model.forget()
        server.script = lambda body: says("another")
        assert model.translate(["a", "b"]) == ["another"] * 2
        assert len(server.bodies) == 4


def test_an_interrupted_batch_leaves_nothing_in_flight(translator):
    """As when somebody presses Ctrl-C while requests are prepared."""
    with serving(lambda body: Reply(hang=True)) as server:
        model = translator(server.url)

        def texts():
            yield Request(("prompt", "a"))
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            model._client.ask(texts())
        server.script = echo
        assert model.translate(["b"]) == ["[b]"]


def test_a_redirect_is_not_followed(translator):
    with serving() as inside, serving(lambda body: Reply(307, headers={"Location": f"{inside.url}/stolen"})) as server:
        with pytest.raises(UserError, match="answers 307"):
            translator(server.url, max_retries=0).translate(["a"])
        assert inside.bodies == []
        assert len(server.bodies) >= 1


def test_an_answer_that_repeats_the_key_is_stored_without_it(translator, monkeypatch):
    monkeypatch.setenv("MY_SERVER_KEY", "sk-repeated-0818")
    with serving(lambda body: says("the key is sk-repeated-0818")) as server:
        (text,) = translator(server.url, api_key_env="MY_SERVER_KEY").translate(["a"])
    assert text == "the key is ***"
