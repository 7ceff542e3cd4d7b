"""Reasons for which a server gives one sample no answer.

SampleError
├── RequestRefused     request_refused    the server says that this request is wrong: too long, too large, unreadable
├── ServerFailed       server_failed      the server fails for this request again and again, and for no other
├── UnusableAnswer     unusable_answer    what comes back is no completion, or one without text
├── AnswerTruncated    answer_truncated   the model had more to say than `max_new_tokens`
└── AnswerFiltered     answer_filtered    the server's content filter, or the model itself, withholds the answer
"""

from schemas.errors import AnswerTruncated, SampleError

__all__ = ["AnswerFiltered", "AnswerTruncated", "RequestRefused", "ServerFailed", "UnusableAnswer"]


class RequestRefused(SampleError):
    reason = "request_refused"


class ServerFailed(SampleError):
    reason = "server_failed"


class UnusableAnswer(SampleError):
    reason = "unusable_answer"


class AnswerFiltered(SampleError):
    reason = "answer_filtered"
