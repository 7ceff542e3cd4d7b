"""Refusal: a text by which a model says that it will not, or cannot -> RefusedCaption."""

import re

from pipeline.captions.tidy import outside_quotes, straight
from schemas.errors import RefusedCaption

_NOUNS = "image|images|picture|video|videos|gif|clip|frame|frames|photo|caption|captions|text|content|input|description"
_DEEDS = (
    "see|view|watch|provide|describe|assist|help|fulfill|fulfil|generate|create|comply|access|process|open|load|play|"
    "determine|translate|summarize|summarise|identify|answer|offer|satisfy|do that|do this|display|analyze|analyse|"
    "write|give|make out|discern|interpret|complete|accommodate|continue|tell|look|recognize|recognise"
)
_START = r"(?:^|[.!?:]\s+)"  # of a sentence

_ENGLISH = re.compile(
    rf"""
    {_START}(?:(?:oh|oops|hmm|well|no|hi|hello)[,!.]?\s+)?(?:i'm|i\ am|we're)\s+(?:(?:so|very|really|truly)\s+)?sorry\b
    | {_START}sorry\b,?\s+(?:but\b|i\b|i'm\b|there\b|no\b|this\b|that\b|it\b|for\b)
    | {_START}(?:(?:my|our)\s+(?:sincere\s+)?)?apologies\b | {_START}(?:i|we)\s+(?:must\s+)?apologi[sz]e\b
    | \b(?:as|i\ am|i'm)\s+(?:just\s+|only\s+|merely\s+)?an?\s+(?:(?:responsible|helpful|honest|large|text-based|
        virtual|digital|machine)\s+)*(?:ai|a\.i\.|artificial\ intelligence|language\ model|llm|chatbot|ai-\w+)\b
    | \bas\ an\ (?:ai\s+)?assistant\b
    | (?:^|[.!?:,]\s+)(?:(?:but|however|unfortunately|regrettably|currently|and|so|that),?\s+)?i\s+
        (?:cannot|can't|can\ not|could\ not|couldn't|won't|will\ not|do\ not|don't|am\ not|was\ not|wasn't|
        am\ unable|was\ unable)\s+(?:(?:be|actually|directly|really|able|to|currently|physically)\s+)*
        (?:{_DEEDS}|have|feel\ comfortable|the\ ability|access|enough)\b
    | {_START}i'm\s+(?:not\s+able|unable|not\s+comfortable|not\s+capable|not\s+sure\ (?:what|how|i))\b
    | {_START}(?:unfortunately|regrettably),?\s+(?:i|i'm|we|it|the|this|there|no|without|as)\b
    | {_START}it(?:'s|\ is|\ was)\s+(?:not\s+(?:possible|appropriate|ethical|clear\ (?:what|from))|impossible|difficult|
        hard)\s+(?:for\s+me\s+)?(?:to\s+)?(?:{_DEEDS}|say|know|what|from|or)\b
    | {_START}(?:there\s+(?:is|are|was|were)\s+)?no\s+(?:{_NOUNS})\s+(?:(?:is|are|was|were|has\ been|have\ been)\s+)?
        (?:provided|attached|uploaded|given|supplied|included|available|found)\b
    | {_START}(?:the|this|your)\s+(?:provided\s+)?(?:{_NOUNS})\s+(?:(?:is|was|are|were|has|have|could|can|does|did)\s+)
        (?:not|n't)\s+(?:(?:be|been)\s+)?(?:provided|attached|uploaded|given|loaded|displayed|visible|available|
        accessible|processed|opened|contain\ (?:any|enough))\b
    | {_START}(?:please|(?:could|can|would)\s+you(?:\s+please)?)\s+
        (?:provide|upload|share|attach|send|resend|clarify|specify|try|let)\b
    | {_START}i(?:'m|\ am)\s+afraid\s+(?:that\s+)?(?:i|there|the|this)\b
    | {_START}i\s+(?:regret|need\s+(?:more|additional|further|the)|(?:only|just)\s+have\s+access|
        see\s+no\s+(?:{_NOUNS}))\b
    | {_START}it\s+(?:seems|looks|appears)\s+(?:(?:like|that|as\ if|as\ though)\s+)?
        (?:you\b|there\s+(?:is|was)\s+no\s+(?:{_NOUNS})\b
        |(?:the|your)\s+(?:{_NOUNS})\s+(?:\w+\s+not\b|\w+n't\b|failed\b))
    | \byou\s+(?:haven't|have\ not|didn't|did\ not)\s+(?:provided?|shared?|uploaded?|given?|attach(?:ed)?|included?)\b
    | {_START}without\s+(?:seeing|viewing|access|more\s+(?:context|information|details)|the\s+(?:{_NOUNS}))\b
    | {_START}unable\s+to\s+(?:{_DEEDS})\b
    | ^error\s*: | {_START}(?:{_NOUNS})\s+(?:not|could\ not\ be)\s+(?:found|available|provided|loaded|visible)\b
    | \bthe\s+(?:assistant|ai|language\ model)\s+(?:cannot|can't|is\ unable|is\ not\ able)\b
    | \b(?:my|our)\s+(?:ethical\s+)?(?:programming|guidelines|ethical\ standards|training\ data|capabilities)\b
    | {_START}i(?:'m|\ am)\s+not\s+(?:programmed|designed|trained|allowed)\s+to\b
    | {_START}there\s+(?:doesn't|does\s+not)\s+(?:seem|appear)\s+to\s+be\s+(?:an?|any)\s+(?:{_NOUNS})\b
    | {_START}i\s+(?:can\s+only|would\s+need|was\s+(?:designed|trained|created))\b | {_START}my\s+purpose\s+is\b
    | {_START}no\s+(?:{_NOUNS})\s+(?:can|could)\s+be\b
    | {_START}i\s+(?:must|have\ to)\s+(?:inform|point\ out|decline|refuse|emphasize|clarify)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CHINESE = re.compile(
    r"^(?:非常|很|十分|真的|真)?(?:抱歉|对不起|遗憾|不好意思).{0,8}(?:无法|不能|没有|没法|不可以|不会|AI|人工智能|语言模型|没能|未能)"
    r"|作为(?:一个|一名|一款)?(?:人工智能|AI|大?语言模型|大型语言模型|聊天机器人|智能助手)"
    r"|(?:^|[。！？，,]\s*)我(?:只是一个|是一个|是一款)?(?:人工智能|AI|语言模型)"
    r"|(?:^|[。！？]\s*)(?:但|但是|目前|不过)?我(?:无法|不能|没有办法|没法|没有能力)(?:直接)?"
    r"(?:看到|查看|提供|描述|回答|满足|识别|生成|翻译|协助|帮助|访问|处理|理解|继续|观看)"
    r"|(?:^|[。！？]\s*)请(?:您|你)?(?:提供|上传|发送|重新)"
    r"|(?:您|你)(?:没有|未|并未|还没有)(?:提供|上传|发送)"
    r"|^(?:无法|不能)(?:识别|查看|看到|处理|提供|描述|翻译|加载|显示|确定|访问)"
    r"|(?:^|[。！？]\s*)(?:没有|未)提供(?:任何)?(?:图片|图像|视频|文本|内容)"
)


def check_not_refused(text: str) -> None:
    """Raise RefusedCaption for an apology, a plea for other input, or a model that speaks of itself.

    What is quoted does not count: a sticker may well say "I'm sorry".
    """
    plain = straight(outside_quotes(text))
    found = _ENGLISH.search(plain) or _CHINESE.search(plain)
    if found is not None:
        raise RefusedCaption(f"it says {found[0].strip(' .!?:')!r}: {text[:79]!r}")
