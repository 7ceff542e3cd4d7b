"""A refusal is a sample's only where the same endpoint answers a plain request; else the endpoint is left out."""

import threading

import numpy as np
import pytest

from pipeline.blame import Failure, answer_or_blame
from pipeline.models.served import ServedImageCaptionConfig, ServedImageCaptioner, ServedTranslator
from pipeline.models.served.errors import RequestRefused
from schemas.errors import MachineFault, UserError
from tests.models.served.server import ScriptedServer, echo, fails, last_line, says, serving
from tests.models.served.test_blame import POISONED, TEXTS, asked_texts, make_inputs, make_plan

REFUSALS = [fails(status, "I will not") for status in (400, 413, 414, 422)]


def refuses(body):
    return fails(400, "no such requests here")


@pytest.fixture
def servers():
    """Four servers that echo."""
    started = [ScriptedServer() for _ in range(4)]
    yield started
    for server in started:
        server.kill()


@pytest.mark.parametrize("reply", REFUSALS, ids=lambda reply: str(reply.status))
@pytest.mark.parametrize("num_answered", [0, 1, 9])
def test_a_server_that_begins_to_refuse_everything_is_for_a_person_and_blames_nobody(
    translator, request, reply, num_answered
):
    lock, seen = threading.Lock(), []

    def script(body):
        with lock:
            seen.append(body)
            return echo(body) if len(seen) <= num_answered else reply

    with serving(script) as server:
        model = translator(server.url, max_in_flight=2)
        with pytest.raises(UserError, match=r"even a plain request is refused: .*I will not"):
            answer_or_blame(make_inputs(TEXTS), make_plan(model, request.node.name))
        server.script = echo
        assert model.translate(TEXTS) == [f"[{text}]" for text in TEXTS]


@pytest.mark.parametrize("num_servers", [2, 4])
@pytest.mark.parametrize("num_answered", [0, 2])
def test_what_one_bad_endpoint_refuses_the_others_answer(translator, servers, request, num_servers, num_answered):
    servers = servers[:num_servers]
    bad = servers[1]
    bad.script = lambda body: echo(body) if len(bad.bodies) <= num_answered else refuses(body)
    model = translator(*(server.url for server in servers))
    results = answer_or_blame(make_inputs(TEXTS), make_plan(model, request.node.name))
    assert [each.summary for each in results] == [f"[{text}]" for text in TEXTS]
    num_asked = len(bad.bodies)
    assert num_asked > num_answered
    assert model.translate(["later"] * 3) == ["[later]"] * 3
    assert len(bad.bodies) == num_asked  # it rests


@pytest.mark.parametrize("num_bad", [0, 1, 3])
def test_a_sample_refused_by_sound_endpoints_is_blamed_alone(translator, servers, request, num_bad):
    for server in servers:
        server.script = lambda body: fails(400, "too long") if last_line(body) == "poison" else echo(body)
    for server in servers[:num_bad]:
        server.script = refuses
    plan = make_plan(translator(*(server.url for server in servers)), request.node.name)
    results = answer_or_blame(make_inputs(POISONED), plan)
    failures = [each for each in results if isinstance(each, Failure)]
    assert [each.reason for each in failures] == ["request_refused"]
    assert "too long" in failures[0].detail
    assert [each.summary for each in results if not isinstance(each, Failure)] == [f"[{text}]" for text in TEXTS]
    num_probes = sum(len(server.bodies) - len(asked_texts(server)) for server in servers)
    assert num_probes <= 1 + num_bad


def test_where_every_endpoint_refuses_the_plain_request_nobody_is_blamed(translator, servers):
    for server in servers:
        server.script = refuses
    with pytest.raises(UserError, match="even a plain request is refused"):
        translator(*(server.url for server in servers)).translate(TEXTS)


def test_where_one_endpoint_refuses_and_the_other_is_dead_a_person_is_told(translator, servers):
    servers[0].script = refuses
    servers[1].kill()
    with pytest.raises(UserError, match="even a plain request is refused"):
        translator(servers[0].url, servers[1].url, max_retries=1).translate(TEXTS)


def test_a_server_that_dies_after_a_refusal_blames_nobody(translator):
    with serving() as server:

        def script(body):
            if last_line(body) == "A cat.":
                threading.Thread(target=server.kill).start()
                return fails(500)
            return refuses(body)

        server.script = script
        with pytest.raises(MachineFault):
            translator(server.url, max_retries=1).translate(["suspect"])


def test_a_refusal_is_not_remembered_before_it_is_proven(opened):
    """Somebody's picture cannot be encoded, so nobody looks into the refusals of the others."""
    good = np.full((8, 8, 4), 10, np.uint8)
    with serving(refuses) as server:
        config = ServedImageCaptionConfig(endpoints=(server.url,), model="tiny")
        model = opened(ServedImageCaptioner, config)
        requests = model.prepare([good], [None])

        def breaks_off():
            yield from requests
            raise ValueError("cannot be encoded")

        with pytest.raises(ValueError, match="cannot be encoded"):
            model._client.ask(breaks_off())
        server.script = lambda body: says("a sticker")
        assert model.caption_images([good], [None]) == ["a sticker"]


def test_a_check_asks_every_endpoint(translator, servers):
    model = translator(*(server.url for server in servers))
    model.check()
    assert [len(server.bodies) for server in servers] == [1] * 4
    servers[2].script = refuses
    with pytest.raises(UserError, match=f"even a plain request is refused: {servers[2].url}"):
        model.check()
    servers[2].script = lambda body: fails(404, "no model tiny")
    with pytest.raises(UserError, match="no model tiny"):
        model.check()


def test_a_check_needs_one_living_endpoint(translator, servers):
    urls = [server.url for server in servers]
    servers[0].kill()
    translator(*urls, max_retries=0).check()
    for server in servers[1:]:
        server.kill()
    with pytest.raises(MachineFault, match="connection failed"):
        translator(*urls, max_retries=0).check()


def test_a_check_finds_the_endpoint_that_drops_pictures(opened, servers):
    def with_eyes(body):
        return says("white", num_read=7 if isinstance(body["messages"][0]["content"], str) else 20)

    servers[0].script, servers[1].script = with_eyes, lambda body: says("white")
    both = ServedImageCaptionConfig(endpoints=(servers[0].url, servers[1].url), model="tiny")
    with pytest.raises(UserError, match=f"at {servers[1].url} looks at no pictures"):
        opened(ServedImageCaptioner, both).check()
    opened(ServedImageCaptioner, both.model_copy(update={"endpoints": (servers[0].url,)})).check()


def test_one_refused_text_raises_its_reason(translator):
    with serving(lambda body: fails(413, "large") if last_line(body) == "poison" else echo(body)) as server:
        model: ServedTranslator = translator(server.url)
        with pytest.raises(RequestRefused, match="large"):
            model.translate(["a", "poison"])
