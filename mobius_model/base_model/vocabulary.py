"""Vocabulary: captions -> the WordPiece vocabulary of a BERT tokenizer that knows every one of their characters."""

import string
from collections import Counter
from collections.abc import Iterable

from tokenizers import normalizers, pre_tokenizers

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
ALWAYS_KNOWN = string.ascii_lowercase + string.digits + string.punctuation + "，。！？、；：“”‘’（）《》…—·～"
MAX_WORDS = 8000
MIN_TIMES = 2  # a word seen less often is spelt out


def make_vocabulary(captions: Iterable[str]) -> dict[str, int]:
    """Return token -> id: the special tokens, every character, and the words seen most.

    Characters stand alone and as the continuation of a word, so that any caption made of them is read without
    [UNK] (save a word of more than 100 letters, which BERT never spells out). The order of ids depends on the
    captions only.
    """
    words = Counter(_words(captions))
    starts = {word[0] for word in words} | set(ALWAYS_KNOWN)
    inside = {character for word in words for character in word[1:]} | set(string.ascii_lowercase + string.digits)
    often = [word for word, times in words.items() if times >= MIN_TIMES and len(word) > 1]
    often = sorted(often, key=lambda word: (-words[word], word))[:MAX_WORDS]
    tokens = (*SPECIAL, *sorted(starts), *(f"##{character}" for character in sorted(inside)), *often)
    return {token: number for number, token in enumerate(dict.fromkeys(tokens))}


def _words(captions: Iterable[str]) -> Iterable[str]:
    """Cut captions into what BERT's tokenizer looks up: lower case, each CJK character and mark by itself."""
    normalizer = normalizers.BertNormalizer(lowercase=True)
    splitter = pre_tokenizers.BertPreTokenizer()
    for caption in captions:
        for word, _place in splitter.pre_tokenize_str(normalizer.normalize_str(caption)):
            yield word
