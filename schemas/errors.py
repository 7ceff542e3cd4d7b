"""What can go wrong, as one tree: whose fault it is decides what happens next.

MobiusError
├── UserError            a path, key or value somebody typed: one sentence, exit code 2, before anything runs
├── SampleError          one sample is to blame: its answer is `failed` with a reason code, its neighbours go on
│   ├── UnknownFormat    unknown_format   the bytes are none of the formats we read
│   ├── CorruptMedia     corrupt          the bytes contradict their own format, or end too early
│   ├── TooLarge         too_large        a limit of the config is exceeded, found before decoding
│   ├── TooSlow          too_slow         decoding used more processor time than the config allows
│   ├── NoFrames         no_frames        a valid file without a picture in it
│   ├── Unreadable       unreadable       the source names a file that cannot be read
│   ├── RefusedText      refused_text     a model cannot answer for this text and says so
│   ├── AnswerTruncated  answer_truncated a model had more to say than `max_new_tokens`
│   └── BadCaption       what a model wrote is not to be stored
│       ├── EmptyCaption      empty_caption       there is nothing in it
│       ├── PromptEcho        prompt_echo         it repeats the prompt or the marks of a chat
│       ├── RefusedCaption    refused_caption     the model says that it will not, or cannot
│       ├── Chatter           chatter             it talks to the reader: "Sure, here is", politeness, Markdown
│       ├── RepetitionLoop    repetition_loop     the same again and again
│       ├── WrongLanguage     wrong_language      another language than asked for
│       ├── TooLittleChinese  too_little_chinese  a translation that is mostly not Chinese
│       ├── Traditional       traditional         traditional characters, where only simplified ones are wanted
│       └── TooLongText       too_long_text       more tokens than the text encoder reads
├── MachineFault         the machine is to blame (memory, disk, connection): nothing is marked, the task is retried
│   └── NoRoom           the disk or the memory has too little left; nothing was written
├── StageBroken          many samples in a row failed in a way nobody foresaw, or a model contradicts itself:
│                        the code is to blame, the run stops
├── Stopped              somebody asked the run to stop: everything answered so far is written
├── UnbalancedLedger     a sample has no fate, or two: the run fails
├── GradientLeak         something is trained that must not be, or nothing is: the network is built wrongly
└── TrainingDiverged     the loss is no number any more: the run stops, its last checkpoint stays
"""


class MobiusError(Exception):
    """Root of every error this project raises on purpose."""


class UserError(MobiusError):
    """Something a person wrote is wrong; the message names the key or file, what was found and what was expected."""


class SampleError(MobiusError):
    """One sample cannot be answered; `reason` is the stable code that reports count by."""

    reason = "sample_error"


class UnknownFormat(SampleError):
    reason = "unknown_format"


class CorruptMedia(SampleError):
    reason = "corrupt"


class TooLarge(SampleError):
    reason = "too_large"


class TooSlow(SampleError):
    reason = "too_slow"


class NoFrames(SampleError):
    reason = "no_frames"


class Unreadable(SampleError):
    reason = "unreadable"


class OutsideSource(SampleError):
    reason = "outside_source"


class RefusedText(SampleError):
    reason = "refused_text"


class AnswerTruncated(SampleError):
    reason = "answer_truncated"


class BadCaption(SampleError):
    """What a model wrote is not to be stored; a subclass says why."""

    reason = "bad_caption"


class EmptyCaption(BadCaption):
    reason = "empty_caption"


class PromptEcho(BadCaption):
    reason = "prompt_echo"


class RefusedCaption(BadCaption):
    reason = "refused_caption"


class Chatter(BadCaption):
    reason = "chatter"


class RepetitionLoop(BadCaption):
    reason = "repetition_loop"


class WrongLanguage(BadCaption):
    reason = "wrong_language"


class TooLittleChinese(BadCaption):
    reason = "too_little_chinese"


class Traditional(BadCaption):
    reason = "traditional"


class TooLongText(BadCaption):
    reason = "too_long_text"


class MachineFault(MobiusError):
    """The machine failed, not the sample; whoever retries will find the sample unanswered."""


class NoRoom(MachineFault):
    """What is about to be written would leave too little for others; found before the disk is full."""


class StageBroken(MobiusError):
    """The code is at fault, not the samples: too many unforeseen errors in a row, or answers that contradict others."""


class Stopped(MobiusError):
    """The run was asked to stop; everything answered so far is written, the same command goes on."""


class UnbalancedLedger(MobiusError):
    """The conservation law is broken: the fates of the samples do not add up to what was ingested."""


class GradientLeak(MobiusError):
    """A gradient reaches what must stay frozen, or does not reach what is to be trained."""


class TrainingDiverged(MobiusError):
    """The loss is infinite or no number; nothing after the last checkpoint is of use."""
