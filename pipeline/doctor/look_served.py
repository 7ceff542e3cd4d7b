"""Look at a model behind servers: is its key set, and does every endpoint answer anything at all?"""

import ssl
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from urllib.error import HTTPError, URLError

from pipeline.config import CurateConfig
from pipeline.doctor.packages import lacking, lacking_for_checks
from pipeline.doctor.report import ModelReport, Trouble, together
from pipeline.models.served.config import ServedConfig
from pipeline.models.served.secret import read_secret
from pipeline.models.writer import WriterConfig
from schemas.errors import UserError

SECONDS_TO_ANSWER = 5.0


def look_at_served(stage: str, config: CurateConfig) -> ModelReport:
    """Look at the servers of one stage; the key is read, and neither sent nor shown."""
    writer: WriterConfig = getattr(config, stage)
    served: ServedConfig = writer.chosen
    trouble = _unreachable(served)
    report = ModelReport(
        stage,
        "served",
        served.model,
        revision=served.revision or None,
        where=", ".join(served.endpoints),
        device="at the server",
        is_here=trouble is None,
    )
    return report.with_trouble(
        together(
            lacking(["openai"], remedy="pip install 'mobius[served]'"),
            _lacking_key(served),
            trouble,
            lacking_for_checks(writer.check),
        )
    )


def _lacking_key(served: ServedConfig) -> Trouble | None:
    if served.api_key_secret is not None:
        return None  # it is with Prefect, whom only a run asks
    try:
        read_secret(variable=served.api_key_env)
    except UserError as error:
        return Trouble(str(error), f"set the environment variable {served.api_key_env}")
    return None


def _unreachable(served: ServedConfig) -> Trouble | None:
    with ThreadPoolExecutor(max_workers=min(16, len(served.endpoints))) as threads:
        whys = list(threads.map(_why_silent, served.endpoints))
    silent = {url: why for url, why in zip(served.endpoints, whys, strict=True) if why is not None}
    if not silent:
        return None
    sentence = "; ".join(f"{url} does not answer ({why})" for url, why in silent.items())
    return Trouble(sentence, "start the server, or put the URL right")


def _why_silent(url: str) -> str | None:
    """Return why nobody answers at an endpoint; None if anybody does, whatever the answer."""
    try:
        with urllib.request.urlopen(f"{url}/models", timeout=SECONDS_TO_ANSWER):  # noqa: S310 - its config allows http
            return None
    except HTTPError as error:
        error.close()
        return None
    except URLError as error:
        is_there = isinstance(error.reason, ssl.SSLCertVerificationError)  # who asks later may know the authority
        return None if is_there else str(getattr(error.reason, "strerror", None) or error.reason)
    except (OSError, HTTPException) as error:
        return str(error) or type(error).__name__
