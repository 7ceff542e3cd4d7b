"""Label -> what people write on such stickers, by language."""

PHRASES: dict[str, dict[str, tuple[str, ...]]] = {
    "smile": {
        "zh": ("开心", "你好呀", "早上好", "今天真开心"),
        "en": ("Hello!", "Good day", "Yay!", "So happy"),
        "mixed": ("Hi 你好", "开心 Day", "Happy 一下"),
    },
    "laugh": {
        "zh": ("哈哈哈", "笑死我了", "太好笑了", "笑出眼泪"),
        "en": ("HAHAHA", "LOL", "So funny", "Can't stop"),
        "mixed": ("笑到 LOL", "哈哈 Funny", "Haha 好笑"),
    },
    "cry": {
        "zh": ("呜呜呜", "好难过", "求安慰", "我太难了"),
        "en": ("So sad", "Boo hoo", "Sorry", "Why me?"),
        "mixed": ("Sad 呜呜", "我 Sorry 啦", "Bye 难过"),
    },
    "love": {
        "zh": ("爱你", "么么哒", "喜欢你", "好想你呀"),
        "en": ("Love you", "XOXO", "Miss you", "My heart"),
        "mixed": ("Love 你", "爱你 Baby", "Miss 你哦"),
    },
    "angry": {
        "zh": ("生气了", "气死我了", "别惹我", "我不高兴"),
        "en": ("Go away", "NO WAY", "Angry!", "Enough!"),
        "mixed": ("我 Angry 了", "No 不行", "Stop 别闹"),
    },
    "sleepy": {
        "zh": ("晚安", "困了", "好累啊", "再睡会儿"),
        "en": ("Good night", "So tired", "Bedtime", "Sleepy"),
        "mixed": ("晚安 Bye", "Sleep 时间", "好困 Zzz"),
    },
    "surprised": {
        "zh": ("什么", "不会吧", "吓我一跳", "真的假的"),
        "en": ("WHAT?!", "OMG!", "Oh no!", "Really?"),
        "mixed": ("OMG 天哪", "What 什么", "真的 Really"),
    },
    "wink": {
        "zh": ("加油", "看我的", "你懂的", "记得想我"),
        "en": ("Trust me", "Got it?", "See you", "Hey there"),
        "mixed": ("Go 加油", "你懂 Right", "See you 再见"),
    },
    "ok": {
        "zh": ("好的", "没问题", "收到", "可以的"),
        "en": ("OK!", "Deal", "No problem", "Well done"),
        "mixed": ("OK 好的", "收到 Boss", "没问题 Yes"),
    },
    "shy": {
        "zh": ("害羞", "不好意思", "谢谢你", "讨厌啦"),
        "en": ("Thank you", "Oh stop", "Who, me?", "Please"),
        "mixed": ("谢谢 Thanks", "害羞 Shy", "Sorry 不好意思"),
    },
    "dizzy": {"zh": ("晕了", "转晕了"), "en": ("Dizzy", "Too much"), "mixed": ("好晕 Help",)},
    "cool": {"zh": ("太帅了", "厉害吧"), "en": ("So cool", "Like a boss"), "mixed": ("超 Cool",)},
    "hungry": {"zh": ("饿了", "开饭啦"), "en": ("Feed me", "Lunch?"), "mixed": ("饿了 Food",)},
}
