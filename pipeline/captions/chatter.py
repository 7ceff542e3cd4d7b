"""Chatter: a text that talks to its reader before, after or around the caption -> Chatter.

The caption inside is not cut out: where it begins is a guess, and the same model answers most samples without.
"""

import re

from pipeline.captions.tidy import outside_quotes, straight
from schemas.errors import Chatter

_KINDS = (
    "caption|captions|description|descriptions|summary|summarization|translation|sentence|sentences|version|response|"
    "answer|result|results|option|options|rewrite|suggestion|suggestions|text|list|breakdown|overview|rephrasing|"
    "paraphrase|output|example|examples|combination|interpretation|phrase|phrases"
)
_START = r"(?:^|[.!?:]\s+)"  # of a sentence

_ENGLISH_BEFORE = re.compile(
    rf"""
    ^(?:sure|certainly|absolutely|of\ course|gladly|understood|no\ problem|sure\ thing|with\ pleasure)\b
        (?:\s*[,!.:;–—-]+\s*\S | \s+(?:here|i|let|thing|the\ following)\b)
    | ^(?:ok|okay|great|alright|all\ right|got\ it|yes|hello|hi|hey|greetings|thanks?|thank\ you|welcome|perfect|
        awesome|wonderful|good\ question)\b[^.!?:\n]{{0,40}}[,!.:;–—-]+\s*(?:so\s+)?
        (?:here|i'd|i'll|i'm|i\ |let\ me|let's|the\ following|based\ on|this\ is\ (?:a|the)\ (?:{_KINDS}))
    | {_START}(?:here|below|following)(?:'s|\ is|\ are)\s+(?:[\w'-]+,?\s+){{0,7}}?(?:{_KINDS})\b
    | {_START}here\s+you\s+(?:go|are)\b | ^(?:\W+\s*)?here\s+you\s+(?:go|are)\b | ^enjoy\s*!
    | {_START}(?:great|good|interesting|excellent)\s+question\b
    | ^what\s+an?\s+(?:[\w-]+\s+){{1,2}}(?:sticker|image|picture|gif|emoji|video|caption)\s*!
    | ^(?:yes|no)\s*,\s+(?:it|this|the|there|that|he|she|they)\b
    | ^(?:in\s+(?:summary|short|conclusion|brief|other\s+words|one\s+sentence|a\s+nutshell)|
        to\s+(?:summari[sz]e|sum\s+up)|overall)\s*[,:]
    | ^(?:(?:a|the|one|my|your|this)\s+)?(?:(?:possible|suitable|good|short|suggested)\s+)?
        (?:caption|description|summary|translation)(?:\s+(?:idea|suggestion))?
        (?:\s+(?:is|(?:would|could|might|may|can)\s+be))?\s*[:：]
    | ^(?:as\s+(?:you\s+)?requested|(?:as\s+)?per\s+your)\b | ^step\s+\d+\s*:
    | ^let's\s+(?:break|take\s+a\s+look|dive|start\s+by|look\s+at)\b | ^ok(?:ay)?,\s+so\b
    | {_START}(?:this|the\ following)\s+is\s+(?:the|a|an|my|your)\s+(?:[\w'-]+,?\s+){{0,5}}?
        (?:caption|description|summary|translation|rephrasing)\b
    | ^(?:(?:image|video|picture|gif|possible|final|suggested|short|concise|one-sentence|english|chinese|simplified|
        translated|revised|merged|combined|detailed|brief|generated|motion|one|single|sentence|sticker|emoji)\s+){{0,3}}
        (?:caption|description|summary|translation|translated|title|label|question|q|answer|response|output|text|chinese|
        english)(?:\s+\([^)]{{0,30}}\))?(?:\s*[:：]|\s+[-–—]\s)
    | {_START}based\s+on\s+(?:the|your|these|this|both)\s+(?:\w+\s+){{0,3}}?
        (?:image|images|video|videos|caption|captions|description|descriptions|information|prompt|text|frames|input)\b
    | {_START}(?:i\ have|i've|i\ will|i'll|i'd\ be|i\ would\ be|let\ me|i\ can|i\ would|i'd|allow\ me\ to)\s+
        (?:(?:try|to|gladly|happily|now|happy|glad|certainly)\s+)*
        (?:summari[sz]ed?|translated?|described?|generated?|created?|provided?|rewr\w+|combined?|merged?|help|assist|
        happy|glad|delighted|love\ to)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ENGLISH_AFTER = re.compile(
    rf"""
    {_START}(?:i\s+)?hope\s+(?:this|that|it|you)\b
    | {_START}(?:please\s+|do\s+)?let\s+me\s+know\b
    | [.!?]\s+(?:(?:many\s+)?thanks|thank\s+you|cheers|(?:best\s+|kind\s+)?regards)\b[^.!?]{{0,30}}[.!]*$
    | [.!?]\s+have\s+a\s+(?:great|nice|good|wonderful|lovely)\s+(?:day|one|time|evening|weekend)\b
    | {_START}(?:please\s+)?feel\s+free\b
    | {_START}(?:is\s+there\s+)?anything\s+else\b
    | {_START}(?:do|would|could|can)\s+you\s+(?:want|like|need|have|prefer|please|provide|tell)\b
    | {_START}(?:how|what)\s+(?:can|may|else\ can)\s+i\s+(?:help|do|assist)\b
    | {_START}(?:happy|glad)\s+to\s+help\b | {_START}you'?re\s+welcome\b
    | {_START}(?:please\s+)?(?:note|keep\s+in\s+mind)(?:\s+that\b|\s*:)
    | {_START}\(?(?:note|explanation|word\s+count)\s*: | \(\d+\s+words\) | \[end\ of\b
    | [.!?]\s+what\s+do\s+you\s+think\b
    | (?:\s\#[^\W\d]\w*){{2,}}\s*$ | [.!?]\s[^.!?]{{0,10}}\#[^\W\d]\w*\s*$
    | {_START}thank\s+you\s+for\s+(?:your|the|asking|sharing|providing)\b
    | {_START}if\s+you\s+(?:have\s+any|need|would\s+like|want|'d\s+like)\b
    | {_START}i\s+(?:tried|chose|kept|used|translated|assumed|made\s+sure)\b
    | {_START}(?:this|the)\s+(?:caption|summary|translation|description)\s+
        (?:is|captures|describes|combines|accurately|effectively|provides|conveys|uses|includes)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CHINESE = re.compile(
    r"^(?:当然可以|当然|好的|没问题|可以的?|明白了?|你好|您好)[，,！!。：:]\s*(?:以下|这是|下面|这里|我|请)"
    r"|^当然可以[，,！!。：:]"
    r"|^(?:以下|下面|这里|这)(?:就?是)?.{0,16}(?:翻译|译文|描述|标题|总结|摘要|说明|结果|版本|句子)[^，。]{0,4}[：:]"
    r"|^(?:简体)?(?:中文)?(?:翻译|译文|译|中文|简体中文|描述|图片描述|视频描述|标题|总结|摘要|答案|回答|输出)(?:结果|如下)?[：:]"
    r"|^.{0,8}(?:翻译|译文|描述|总结|答案)如下[：:]"
    r"|(?:^|[。！？]\s*)(?:解释|释义|翻译说明|译注)[：:]|[（(](?:翻译|译文|意译|直译|中文)[^）)]{0,20}[）)]$"
    r"|希望(?:这|对你|对您|能|以上).{0,10}(?:帮助|有用|满意)"
    r"|如果(?:你|您)(?:还)?(?:有|需要|想)(?:任何|其他|更多|什么)"
    r"|(?:^|[。！？]\s*)(?:请随时|请告诉我|请让我知道|祝您|祝你)"
    r"|(?:^|[。！？（(]\s*)(?:注|注意|备注|说明)[：:]"
)
_MARKUP = re.compile(
    r"\*\*|__\w|```|^\s*#{1,6}\s|^\s*[-*•–]\s+\S|^\s*\d{1,2}[.)、]\s+\S|\]\(https?://|^\s*>\s|^\*[a-z ]{3,40}\*"
    r"|<br\s*/?>|</?(?:p|b|i|em|strong|div|span|ul|li)>|^\s*\|.*\|"
    r"|</?(?:caption|answer|summary|translation|output|response|description|title|text)>|^\s*[\[{]+\s*\"\"\s*[:,\]}]",
    re.MULTILINE,
)


def check_no_chatter(text: str) -> None:
    """Raise Chatter for an introduction, politeness, remarks on the answer, Markdown, tags or JSON.

    `text` still has its lines; what is quoted does not count.
    """
    plain = straight(outside_quotes(text.strip()))
    for pattern in (_MARKUP, _ENGLISH_BEFORE, _ENGLISH_AFTER, _CHINESE):
        found = pattern.search(plain)
        if found is not None:
            raise Chatter(f"it has {found[0].strip()!r}: {text[:79]!r}")
