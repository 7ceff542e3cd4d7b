"""Decision file: JSON lines that somebody wrote -> review decisions, or one sentence that names the line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from schemas.errors import UserError
from schemas.review import ReviewDecision

MAX_LINE_BYTES = 64 << 10


def read_decision_file(path: Path, *, reviewer: str) -> Iterator[ReviewDecision]:
    """Yield the decision of each line: key, action, and where they apply field, text, note, reviewer, time, id.

    A line without a `reviewer` is of the one given. Raises UserError for the first line that is no decision.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if line.strip():
                    yield _decision(line, f"{path}, line {number}", reviewer)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error


def _decision(line: bytes, name: str, reviewer: str) -> ReviewDecision:
    if len(line) > MAX_LINE_BYTES:
        raise UserError(f"{name}: longer than {MAX_LINE_BYTES:,} bytes, expected one decision")
    try:
        fields: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{name}: no JSON object") from error
    if not isinstance(fields, dict):
        raise UserError(f"{name}: no JSON object")
    return make_decision({"reviewer": reviewer, **fields}, name=name)


def make_decision(fields: dict[str, Any], *, name: str) -> ReviewDecision:
    """Check what somebody typed. Raises UserError; `name` is theirs in messages."""
    try:
        return ReviewDecision.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = str(first["loc"][0]) if first["loc"] else ""
        said = str(first["ctx"]["error"]) if first["type"] == "value_error" else first["msg"]
        if first["type"] == "extra_forbidden":
            said = f"unknown, expected one of {', '.join(ReviewDecision.model_fields)}"
        raise UserError(f"{name}: {where}{': ' if where else ''}{said[:1].lower()}{said[1:]}") from error
