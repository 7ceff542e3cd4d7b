"""Several endpoints are asked in turn; one that fails is left out for a while."""

from pipeline.models.served.turns import MAX_FAILURES_IN_A_ROW, REST_SECONDS, Turns
from tests.models.served.server import fails, serving


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def chosen(turns, times=6):
    return [turns.choose()[0] for _ in range(times)]


def test_endpoints_take_turns():
    assert chosen(Turns(["a", "b", "c"])) == ["a", "b", "c", "a", "b", "c"]


def test_one_that_is_down_is_left_out_for_a_while_and_then_asked_again():
    clock = Clock()
    turns = Turns(["a", "b"], clock)
    turns.failed("a", is_down=True, retry_after=None)
    assert set(chosen(turns)) == {"b"}
    clock.now += REST_SECONDS + 1
    assert set(chosen(turns)) == {"a", "b"}


def test_one_that_fails_time_and_again_is_left_out_but_a_single_failure_may_be_the_samples():
    turns = Turns(["a", "b"], Clock())
    for _ in range(MAX_FAILURES_IN_A_ROW - 1):
        turns.failed("a", is_down=False, retry_after=None)
    assert set(chosen(turns)) == {"a", "b"}
    turns.failed("a", is_down=False, retry_after=None)
    assert set(chosen(turns)) == {"b"}
    turns.succeeded("a")
    assert set(chosen(turns)) == {"a", "b"}


def test_what_the_server_asks_for_is_kept_even_where_there_is_no_other():
    turns = Turns(["a"], Clock())
    turns.failed("a", is_down=True, retry_after=7.0)
    assert turns.choose() == ("a", 7.0)


def test_where_all_rest_the_one_that_rests_the_shortest_is_asked_at_once():
    clock = Clock()
    turns = Turns(["a", "b"], clock)
    turns.failed("a", is_down=True, retry_after=None)
    clock.now += 1
    turns.failed("b", is_down=True, retry_after=None)
    assert turns.choose() == ("a", 0.0)


def test_a_batch_is_spread_over_the_endpoints(translator):
    with serving() as one, serving() as other:
        translator(one.url, other.url).translate([f"text {n}" for n in range(10)])
        assert (len(one.bodies), len(other.bodies)) == (5, 5)


def test_work_goes_on_where_one_of_two_endpoints_is_dead(translator):
    with serving() as alive, serving() as dead:
        url = dead.url
        dead.kill()
        texts = [f"text {n}" for n in range(30)]
        assert translator(url, alive.url).translate(texts) == [f"[{text}]" for text in texts]


def test_a_broken_endpoint_is_soon_left_alone(translator):
    with serving() as healthy, serving(lambda body: fails(500)) as broken:
        texts = [f"text {n}" for n in range(30)]
        model = translator(broken.url, healthy.url, max_in_flight=1)
        assert model.translate(texts) == [f"[{text}]" for text in texts]
        assert len(broken.bodies) == MAX_FAILURES_IN_A_ROW
