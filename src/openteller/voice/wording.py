"""The sentences that the voice says of itself, Chinese and English, in one table.

Approved wording: a bank changes it here. Knows nothing about when a sentence is said.
"""

from enum import StrEnum


class Line(StrEnum):
    """What is said; the two languages stand in the table below."""

    NOTICE = "notice"
    HELP = "help"
    MAY_RECORD = "may_record"
    RECORDED = "recorded"
    NOT_RECORDED = "not_recorded"
    UNSURE = "unsure"
    UNSURE_AGAIN = "unsure_again"
    CONFIRM = "confirm"
    NOTHING_TO_REPEAT = "nothing_to_repeat"
    STILL_THERE = "still_there"
    GOODBYE = "goodbye"
    MORE = "more"
    BUSY = "busy"
    DEAF = "deaf"
    MUTE = "mute"
    FAILED = "failed"
    CHOICE = "choice"
    SPEED = "speed"


_TABLE: dict[Line, tuple[str, str]] = {
    Line.NOTICE: (
        "您好，这里是{bank}，我是智能语音助手，由人工智能与您对话。",
        "Hello, this is {bank}. You are speaking with an A.I. assistant.",
    ),
    Line.HELP: ("请问有什么可以帮您？", "How can I help you?"),
    Line.MAY_RECORD: (
        "为改进服务，我们希望对通话录音，您不同意也不影响办理。本次通话可以录音吗？",
        "We would like to record calls to improve our service; nothing changes if you say no. May we record this call?",
    ),
    Line.RECORDED: ("为保证服务质量，本次通话将被录音。", "This call is being recorded for quality."),
    Line.NOT_RECORDED: ("好的，本次通话不录音。", "All right, this call is not recorded."),
    Line.UNSURE: ("不好意思，我没听清，请您再说一遍。", "Sorry, I didn't catch that. Could you say it again?"),
    Line.UNSURE_AGAIN: (
        "抱歉，还是没有听清。您可以换个说法，也可以直接打字，或者说转人工。",
        "Sorry, I still didn't catch that. You can put it another way, type it, or ask for a person.",
    ),
    Line.CONFIRM: ("我听到的是：{text}。对吗？", "I heard: {text}. Is that right?"),
    Line.NOTHING_TO_REPEAT: (
        "我还没有说什么。请问有什么可以帮您？",
        "I haven't said anything yet. How can I help you?",
    ),
    Line.STILL_THERE: ("请问您还在吗？", "Are you still there?"),
    Line.GOODBYE: (
        "没有听到您的声音，我先挂断了。感谢您的来电，再见。",
        "I can't hear you, so I will hang up now. Goodbye.",
    ),
    Line.MORE: ("后面还有一些内容，要我继续说吗？", "There is more. Shall I go on?"),
    Line.BUSY: ("现在咨询的人比较多，请您稍等一下。", "Many people are calling just now. One moment, please."),
    Line.DEAF: (
        "抱歉，语音识别暂时不可用，请您打字，我会继续为您服务。",
        "Sorry, I can't hear you just now. Please type, and I will go on helping you.",
    ),
    Line.MUTE: ("语音播报暂时不可用，我会用文字回答您。", "I can't speak just now, so I will answer in text."),
    Line.FAILED: ("抱歉，系统出了点问题，请您再说一遍。", "Sorry, something went wrong. Please say that again."),
    Line.CHOICE: ("第{number}，{text}", "Number {number}: {text}"),
    Line.SPEED: ("好的。", "All right."),
}


def line(what: Line, language: str, **values: str) -> str:
    """The sentence in ``zh`` or ``en``, with `values` filled in."""
    zh, en = _TABLE[what]
    return (en if language == "en" else zh).format(**values)


def stock(bank: dict[str, str]) -> list[tuple[str, str]]:
    """Every sentence that needs no values but the bank's name, as (text, language): what is worth keeping as sound."""
    return [
        (line(what, language, bank=bank[language]), language)
        for what in Line
        for language in ("zh", "en")
        if what not in (Line.CONFIRM, Line.CHOICE)
    ]
