"""Check: a caption as a model wrote it -> the text as it is stored, or the reason why it is not."""

import hashlib
import json
import re
import unicodedata
from importlib import metadata

from pipeline.captions.chatter import check_no_chatter
from pipeline.captions.chinese import check_chinese_share, open_converter, simplify
from pipeline.captions.config import CaptionCheckConfig, Language
from pipeline.captions.echo import check_no_echo
from pipeline.captions.language import check_english, check_not_japanese_or_korean, open_identifier
from pipeline.captions.length import check_length, open_tokenizer
from pipeline.captions.refusal import check_not_refused
from pipeline.captions.repetition import check_no_loop
from pipeline.captions.tidy import tidy, unwrap
from schemas.errors import EmptyCaption, TooLongText
from schemas.model_files import file_digest, find_folder

VERSION = 2  # of the checks themselves: count up when one of them answers otherwise than before
MAX_CHARACTERS = 10_000  # no caption has them; patterns are not to be tried on a flood
CONTENT = {"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "No", "So"}  # Unicode's letters, numbers, emoji
PLACEHOLDER = re.compile(r"(?:none|null|nan|n/?a|undefined|no caption)\.?|\[[^\]]{0,40}\]|(?:\\+n\s*)+", re.IGNORECASE)
TOKENIZER_FILES = "*.json", "*.txt", "*.model"


def check_caption(text: str, config: CaptionCheckConfig, language: Language) -> str:
    """Return a caption (English) or a translation (Chinese) as it is stored: one line, stripped, simplified.

    Raises a subclass of BadCaption whose `reason` is the code of what is wrong with it, the most telling one where
    several hold; UserError where a library or a tokenizer that the config asks for is missing.
    """
    if len(text) > MAX_CHARACTERS:
        raise TooLongText(f"{len(text):,} characters, at most {MAX_CHARACTERS:,}: {text[:79]!r}")
    text = unwrap(text.encode("utf-8", "ignore").decode("utf-8"))  # half a pair of surrogates is no character
    if not has_content(tidy(text)):
        raise EmptyCaption(f"nothing in it to read: {text[:79]!r}")
    if language == "zh":
        check_not_japanese_or_korean(text)  # whose characters are not to be simplified
        text = simplify(text, config.traditional)
    tidied = tidy(text)
    check_no_echo(text)
    check_not_refused(tidied)
    check_no_chatter(text)
    check_no_loop(tidied)
    if language == "zh":
        check_chinese_share(tidied, config.min_han)
    else:
        check_english(tidied, with_model=config.language_model == "py3langid")
    check_length(tidied, config.max_tokens, config.tokenizer)
    return tidied


def has_content(text: str) -> bool:
    """Tell whether there is a letter, a digit or an emoji in it, not punctuation alone, nor a word for nothing."""
    if PLACEHOLDER.fullmatch(text):
        return False
    return any(unicodedata.category(character) in CONTENT for character in text)


def require_checks(config: CaptionCheckConfig) -> None:
    """Load all that the checks will need, so that it is missed now and not after hours. Raises UserError."""
    if config.traditional != "keep":
        open_converter()
    if config.language_model == "py3langid":
        open_identifier()
    if config.max_tokens is not None and config.tokenizer is not None:
        open_tokenizer(config.tokenizer)


def identify_checks(config: CaptionCheckConfig) -> str:
    """Name what decides beside the config: the version of the checks, of the libraries, and the tokenizer's digest."""
    names = [f"captions-{VERSION}"]
    if config.traditional != "keep":
        names.append(f"opencc/{_version('opencc')}")
    if config.language_model == "py3langid":
        names.append(f"py3langid/{_version('py3langid')}")
    if config.max_tokens is not None and config.tokenizer is not None:
        names.append(f"tokenizer/{tokenizer_digest(config.tokenizer)[:12]}")
    return " ".join(names)


def tokenizer_digest(name: str) -> str:
    """sha256 in hex over the small files of a tokenizer's folder, by name and content. Raises UserError."""
    folder = find_folder(name, key="tokenizer")
    paths = sorted({path for pattern in TOKENIZER_FILES for path in folder.glob(pattern)})
    digests = [[path.name, file_digest(path)] for path in paths if path.name != "config.json"]
    return hashlib.sha256(json.dumps(digests).encode()).hexdigest()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"
