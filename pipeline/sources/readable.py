"""Readable text: bytes or text of any origin -> valid UTF-8 that Arrow and people can hold."""


def readable(text: bytes | str) -> str:
    r"""Return UTF-8 without NUL; all else is escaped: the byte ff as `\xff`, a lone surrogate as `\ud800`.

    Escaping keeps different names different, which a replacement character would not.
    """
    if isinstance(text, str):
        text = text.encode("utf-8", "backslashreplace")
    return text.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def readable_label(text: bytes | str | None) -> str | None:
    """Return the label as it stands, made readable and otherwise untouched; an empty one is None."""
    return readable(text) or None if text is not None else None
