"""Echo: a text that repeats the prompt, or shows the marks by which a chat or a tokenizer is written -> PromptEcho."""

import re

from schemas.errors import PromptEcho

_MARKS = re.compile(
    r"""
    </?s> | <(?:image|video|pad|unk|bos|eos|mask)> | <\|[^|>]{1,40}\|> | <</?SYS>> | \[/?(?:INST|CLS|SEP|PAD|UNK|MASK)\]
    | </?(?:start|end)_of_(?:turn|text)> | </?think> | ▁ | ⁇ | >>[a-z]{2,3}(?:_[A-Za-z]{2,4})?<<
    | \b[a-z]{3}_(?:Hans|Hant|Latn|Cyrl|Jpan|Hang|Arab)\b
    """,
    re.VERBOSE,
)
_TURNS = re.compile(
    r"\b(?:USER|ASSISTANT|HUMAN|SYSTEM)\s*[:：]"
    r"|(?:^|[\n.!?。！？]\s*)(?:User|Assistant|Human|System|用户|助手)\s*[:：]"
    r"|###\s*(?:Human|User|Assistant|System|Instruction|Response|Input)\b"
)
_ORDERS = re.compile(
    r"^(?:please\s+)?(?:describe|summari[sz]e|translate|caption|rewrite|combine|merge)\s+"
    r"(?:the|this|these|those|it|both|following|what)\b"
    r"|^(?:请|請)?(?:将|把|將)(?:以下|下面|下列).{0,12}(?:翻译|翻譯|总结|描述)",
    re.IGNORECASE,
)


def check_no_echo(text: str) -> None:
    """Raise PromptEcho for marks of a chat or a tokenizer, and for an order where a description should be."""
    for pattern in (_MARKS, _TURNS, _ORDERS):
        found = pattern.search(text)
        if found is not None:
            raise PromptEcho(f"it has {found[0].strip()!r} of a prompt: {text[:79]!r}")
