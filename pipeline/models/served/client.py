"""Client: the requests of a batch -> their answers in order, all in flight together up to a bound.

Who is to blame is decided so that neither a dead server marks samples nor a bad sample stops the run: a request
that still fails after its retries is a suspect. When the others are done, a plain request (the probe) must be
answered; then the suspect is asked once more, alone; then the probe again. Only a suspect that fails between two
answered probes is blamed. If a probe fails, the machine is.

A refusal is the sample's only if the same endpoint then answers the probe. An endpoint that refuses even that rests,
and the samples it refused are asked at the others; where no endpoint answers the probe, a person has to look.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import TypeGuard, TypeVar

from pipeline.models.served.attempt import Attempts, Usage
from pipeline.models.served.config import ServedConfig
from pipeline.models.served.memory import Memory
from pipeline.models.served.outcome import Answer, Outcome, Trouble, Whose
from pipeline.models.served.own_loop import OwnLoop
from pipeline.models.served.request import Request
from pipeline.models.served.secret import read_secret
from pipeline.models.served.turns import Turns
from schemas.errors import MachineFault, UserError

FIRST_PAUSE = 0.5  # seconds; doubled by every retry
LONGEST_PAUSE = 30.0  # seconds
REMEMBERED = 4096  # results; more than one batch asks, and a few MB at most

Pause = Callable[[float], Awaitable[None]]
R = TypeVar("R")


class ServedClient:
    """A model behind one or several endpoints; serves one thread at a time.

    probe: a plain request of the kind that will be asked, to which a healthy server has some answer.
    pause: how to wait for some seconds.

    An answer or a blame is remembered by its request: whoever halves a batch to find the sample to blame, or
    retries a task, asks the server nothing twice.
    """

    def __init__(self, config: ServedConfig, *, probe: Request, pause: Pause = asyncio.sleep) -> None:
        self._config = config
        self._probe = probe
        self._pause = pause
        self._attempts = Attempts(config, read_secret(variable=config.api_key_env, stored=config.api_key_secret))
        self._turns = Turns(config.endpoints)
        self._slots = asyncio.Semaphore(config.max_in_flight)
        self._memory: Memory[Outcome] = Memory(REMEMBERED)
        self._stopped: Trouble | None = None  # why nobody is asked any more in this batch
        self._loop = OwnLoop()

    @property
    def usage(self) -> Usage:
        """What has been asked since the client was opened."""
        return self._attempts.usage

    def forget(self) -> None:
        """Forget all answers and blames: whatever is asked next is asked of a server."""
        self._memory.clear()

    def close(self) -> None:
        """Close the connections and end the loop."""
        if self._loop.close.alive:
            self._loop.start(self._attempts.close()).result()
            self._loop.close()

    def ask(self, requests: Iterable[Request]) -> list[str]:
        """Return the texts for some requests, in order; each is sent as soon as it is built, equal ones once.

        Raises SampleError if one of them is to blame, MachineFault, and UserError for a wrong key, model or address.
        """
        self._stopped = None
        order: list[bytes] = []
        outcomes: dict[bytes, Outcome] = {}
        asked: dict[bytes, Request] = {}
        started: dict[bytes, Future[Outcome]] = {}
        try:
            for request in requests:
                digest = request.digest
                order.append(digest)
                known = self._memory.get(digest)
                if known is not None:
                    outcomes[digest] = known
                elif digest not in started:
                    asked[digest] = request
                    started[digest] = self._loop.start(self._ask(request, gives_up=True))
        except Exception:
            outcomes = _wait(started)  # one that cannot be built costs the others nothing
            self._remember({digest: outcomes[digest] for digest in outcomes if not _is_doubtful(outcomes[digest])})
            raise
        except BaseException:
            _cancel(started)
            raise
        fresh = _wait(started)
        doubtful = {digest: asked[digest] for digest in fresh if _is_doubtful(fresh[digest])}
        if doubtful and not _faults(fresh.values()):
            settling = self._loop.start(self._settle(doubtful, fresh))
            fresh |= _wait({b"": settling})[b""]
        self._remember(fresh)
        return _texts([(outcomes | fresh)[digest] for digest in order])

    def ask_everywhere(self, request: Request) -> dict[str, Outcome]:
        """Ask every endpoint the same, with retries; nobody is blamed, nothing remembered. Return outcomes by URL."""
        self._stopped = None
        urls = {url.encode(): url for url in self._config.endpoints}
        started = {
            each: self._loop.start(self._ask(request, gives_up=False, among=[url])) for each, url in urls.items()
        }
        return {urls[each]: outcome for each, outcome in _wait(started).items()}

    def _remember(self, outcomes: Mapping[bytes, Outcome]) -> None:
        is_proven = not _faults(outcomes.values())
        for digest, outcome in outcomes.items():
            if isinstance(outcome, Answer) or (is_proven and outcome.whose is Whose.SAMPLE):
                self._memory.keep(digest, outcome)

    # From here on inside the loop.

    async def _ask(self, request: Request, *, gives_up: bool, among: Collection[str] | None = None) -> Outcome:
        """Ask with retries, some endpoints or all of them.

        gives_up: if none of the attempts succeeds, nor any other request meanwhile, the rest of the batch is left.
        """
        async with self._slots:
            num_answers = self.usage.num_answers
            for retry in range(self._config.max_retries + 1):
                if self._stopped is not None:
                    return replace(self._stopped, was_asked=False)
                if retry:
                    await self._pause(_pause_before(retry))
                outcome = await self._attempt(request, await self._choose(among))
                if isinstance(outcome, Answer) or not outcome.may_pass:
                    break
            if isinstance(outcome, Trouble):
                is_fault = outcome.whose in (Whose.PERSON, Whose.MACHINE)
                is_outage = outcome.may_pass and self.usage.num_answers == num_answers
                if gives_up and (is_fault or is_outage):
                    self._stopped = outcome
            return outcome

    async def _settle(
        self, doubtful: Mapping[bytes, Request], outcomes: Mapping[bytes, Outcome]
    ) -> dict[bytes, Outcome]:
        """Find out for each of the doubtful requests who is to blame, and answer those that can be answered."""
        self._stopped = None
        settled: dict[bytes, Outcome] = {digest: outcomes[digest] for digest in doubtful}
        url: str | Trouble | None = None
        if not all(_is_refusal(outcome) for outcome in settled.values()):
            url = await self._prove(self._config.endpoints)
            if isinstance(url, Trouble):
                return dict.fromkeys(doubtful, url)
            settled |= await self._ask_all({each: doubtful[each] for each in doubtful if not _was_asked(settled[each])})
        settled |= await self._settle_refusals(doubtful, settled)
        for digest, outcome in settled.items():
            if _faults(settled.values()):
                break
            if isinstance(outcome, Trouble) and outcome.whose is Whose.UNKNOWN:
                url = url or await self._prove(self._config.endpoints)
                settled[digest] = url if isinstance(url, Trouble) else await self._ask_alone(doubtful[digest], url)
        return settled

    async def _settle_refusals(
        self, doubtful: Mapping[bytes, Request], outcomes: Mapping[bytes, Outcome]
    ) -> dict[bytes, Outcome]:
        """Find out whether samples or endpoints are to blame for refusals; ask elsewhere where an endpoint is."""
        settled: dict[bytes, Outcome] = {each: outcomes[each] for each in outcomes if _is_refusal(outcomes[each])}
        sound: set[str] = set()
        unsound: dict[str, Trouble] = {}
        while unproven := {outcome.url for outcome in settled.values() if _is_refusal(outcome)} - sound:
            for url in sorted(unproven):
                proof = await self._prove([url])
                if isinstance(proof, Trouble):
                    unsound[url] = proof
                else:
                    sound.add(url)
            again = {
                digest: doubtful[digest]
                for digest, outcome in settled.items()
                if _is_refusal(outcome) and outcome.url in unsound
            }
            elsewhere = [url for url in self._config.endpoints if url not in unsound]
            if again and not elsewhere:
                return settled | dict.fromkeys(again, _faults(unsound.values())[0])
            settled |= await self._ask_all(again, among=elsewhere)
        return settled

    async def _ask_all(
        self, requests: Mapping[bytes, Request], among: Collection[str] | None = None
    ) -> dict[bytes, Outcome]:
        asked = (self._ask(request, gives_up=False, among=among) for request in requests.values())
        return dict(zip(requests, await asyncio.gather(*asked), strict=True))

    async def _ask_alone(self, request: Request, url: str) -> Outcome:
        """Ask a suspect where a probe has just been answered, with nothing else in flight."""
        outcome = await self._attempt(request, url)
        if isinstance(outcome, Answer) or not _is_doubtful(outcome):
            return outcome
        proof = await self._prove([url])
        return proof if isinstance(proof, Trouble) else outcome.but(whose=Whose.SAMPLE)

    async def _prove(self, urls: Collection[str]) -> str | Trouble:
        """Return one of some endpoints that answers the probe; else the trouble with them.

        An endpoint that refuses the probe rests, and is asked no second time.
        """
        outcome: Trouble
        left = list(dict.fromkeys(urls))
        refusal: Trouble | None = None
        for retry in range(self._config.max_retries + 1):
            if retry:
                await self._pause(_pause_before(retry))
            while True:
                chosen = await self._choose(left)
                reply = await self._attempt(self._probe, chosen)
                if isinstance(reply, Answer) or reply.is_reply:
                    return chosen
                outcome = reply
                if outcome.whose is not Whose.SAMPLE:
                    break
                self._turns.failed(chosen, is_down=True, retry_after=None)
                refusal = refusal or replace(outcome, whose=Whose.PERSON, detail=no_use(outcome.detail))
                left.remove(chosen)
                if not left:
                    return refusal
            if not outcome.may_pass:
                break
        return refusal or (outcome if outcome.whose is Whose.PERSON else outcome.but(whose=Whose.MACHINE))

    async def _choose(self, among: Collection[str] | None) -> str:
        url, seconds = self._turns.choose(among)
        if seconds > 0:
            await self._pause(seconds)
        return url

    async def _attempt(self, request: Request, url: str) -> Outcome:
        outcome = await self._attempts.attempt(request, url)
        if isinstance(outcome, Answer) or outcome.is_reply or outcome.whose is Whose.SAMPLE:
            self._turns.succeeded(url)
        elif outcome.whose is not Whose.PERSON:
            self._turns.failed(url, is_down=outcome.is_down, retry_after=outcome.retry_after)
        return replace(outcome, url=url) if isinstance(outcome, Trouble) else outcome


def no_use(detail: str) -> str:
    """Say of a refusal that it is the endpoint's, not the sample's."""
    return f"even a plain request is refused: {detail}; does this server take such requests?"


def _pause_before(retry: int) -> float:
    """Seconds before the first, second, ... retry: doubled each time, and at random between half and all of it."""
    return random.uniform(0.5, 1) * float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (retry - 1)))


def _wait(started: Mapping[bytes, Future[R]]) -> dict[bytes, R]:
    """Wait for what was started; if the wait is broken off, so is what is waited for."""
    try:
        return {digest: future.result() for digest, future in started.items()}
    except BaseException:
        _cancel(started)
        raise


def _cancel(started: Mapping[bytes, Future[R]]) -> None:
    for future in started.values():
        future.cancel()


def _is_refusal(outcome: Outcome) -> TypeGuard[Trouble]:
    """True if a server would not even try: because of the sample, or of everything."""
    return isinstance(outcome, Trouble) and outcome.whose is Whose.SAMPLE and not outcome.is_reply


def _is_doubtful(outcome: Outcome) -> bool:
    """True if it is open who is to blame."""
    return isinstance(outcome, Trouble) and (outcome.whose is Whose.UNKNOWN or _is_refusal(outcome))


def _was_asked(outcome: Outcome) -> bool:
    return isinstance(outcome, Answer) or outcome.was_asked


def _faults(outcomes: Iterable[Outcome]) -> list[Trouble]:
    """The troubles that are no sample's, those for a person first."""
    troubles = [outcome for outcome in outcomes if isinstance(outcome, Trouble)]
    return [each for whose in (Whose.PERSON, Whose.MACHINE) for each in troubles if each.whose is whose]


def _texts(outcomes: Iterable[Outcome]) -> list[str]:
    """Return the texts, or raise what is worst. Raises UserError, MachineFault, SampleError."""
    outcomes = list(outcomes)
    for fault in _faults(outcomes):
        raise (UserError if fault.whose is Whose.PERSON else MachineFault)(fault.detail)
    texts = []
    for outcome in outcomes:
        if isinstance(outcome, Trouble):
            assert outcome.whose is Whose.SAMPLE, outcome
            raise outcome.error(outcome.detail)
        texts.append(outcome.text)
    return texts
