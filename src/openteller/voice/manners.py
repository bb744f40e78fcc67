"""What the words of an utterance say about the turn: nodding along, a command to the speaker, a sentence not yet over.

Judged on a recogniser's text, which may be wrong: what is not known for sure is taken for speech, and an end that may be none
gets more patience. Extend the tables below. Knows nothing about sound, timing or what the bank answers.
"""

import re
from enum import StrEnum

from openteller.core.text import fold, han_share

_ZH_NODS = """嗯 唔 恩 哦 噢 喔 哎 诶 啊 呃 额 哈 呵 对 是 好 行 嗯哼 是的 对的 对啊 对呀 是啊 是呀 好的 好啊 好嘞 好吧 行吧 没错 明白
明白了 了解 了解了 知道 知道了 懂了 这样 这样啊 这样子 原来如此 原来这样 可以 不错 真的 真的吗 然后呢"""
_EN_NODS = """yeah yes yep yup uh huh uhhuh mhm mm mmm hm hmm mmhmm ok okay right sure oh ah um er great good fine cool nice wow really
alright indeed exactly true absolutely definitely"""
_EN_PHRASES = """all right,i see,got it,go on,of course,makes sense,i understand,that's right,oh i see,oh okay,uh huh,mm hmm,
fair enough,make sense,no problem,sounds good,that's fine,good to know"""
#: What somebody says to show that they are listening (Yngve 1970); said while the other speaks it takes no turn.
BACKCHANNELS = frozenset([*_ZH_NODS.split(), *_EN_NODS.split(), *(p.strip() for p in _EN_PHRASES.split(","))])


class Command(StrEnum):
    """What a customer may tell the voice itself."""

    STOP = "stop"
    REPEAT = "repeat"
    GO_ON = "go_on"
    SLOWER = "slower"
    FASTER = "faster"


_POLITE = r"(?:请|麻烦|麻烦你|你|您|再|能不能|可不可以|可以|能|please|could you|can you|would you)?\s*"
_TAIL = r"\s*(?:一下|吧|吗|呀|啊|了|please|for me)?"
_COMMANDS = {
    Command.STOP: r"停|停停停?|停下|停一下|别说了|不用说了|别[念讲读]了|不用[念讲读]了|等等|等一下|等一等|打断一下|安静|stop|stop it|stop talking|wait|wait a (?:minute|second|moment)|hold on|hang on|be quiet|shut up",
    Command.REPEAT: r"(?:刚[才刚])?(?:[那这][句段个]?话?)?(?:再说|重复|重说|再讲|再念)(?:一遍|一次|一下)?|没听清|没听清楚|没听见|你?刚才说什么|你说什么|什么意思来着"
    r"|(?:say|repeat) (?:that|it)(?: again)?|say again|repeat|come again|pardon|pardon me|sorry what|what did you say|what was that|i didn't (?:hear|catch) (?:that|you)",
    Command.GO_ON: r"继续|继续说|接着说|说下去|往下说|continue|go on|go ahead|keep going|carry on|please continue",
    Command.SLOWER: r"(?:说|讲|念)?(?:得)?慢(?:一)?点(?:儿)?(?:说|讲)?|太快了|slow down|slower|speak (?:more slowly|slower)|too fast",
    Command.FASTER: r"(?:说|讲|念)?(?:得)?快(?:一)?点(?:儿)?(?:说|讲)?|太慢了|speed up|faster|speak faster|too slow",
}
_COMMAND = {kind: re.compile(f"{_POLITE}(?:{pattern}){_TAIL}") for kind, pattern in _COMMANDS.items()}

_YES = re.compile(
    r"(?:嗯|对|是|是的|对的|没错|没问题|好|好的|要|可以|同意|我同意|继续|行|yes|yeah|yep|right|correct|sure|ok|okay|please|go on|yes you may"
    r"|i agree)(?:\s*(?:的|啊|呀|吧|please))*"
)
_NO = re.compile(
    r"(?:不|不是|不对|不用|不要|不用了|不需要|不可以|不行|不同意|我不同意|不要录音?|错了|没有|no|nope|wrong|not really|no thanks|no thank you"
    r"|no you may not|i don't agree)(?:\s*(?:的|了|啊))*"
)
_ORDINALS = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "1": 1, "2": 2, "3": 3, "4": 4, "first": 1, "second": 2, "third": 3,
             "fourth": 4, "one": 1, "two": 2, "three": 3, "four": 4}  # fmt: skip
_CHOICE = re.compile(
    r"(?:选|要|是|我想问|我要)?(?:第)?([一二两三四1234])(?:个|项|条|种)?(?:问题|吧|的)?"
    r"|(?:the )?(?:number |option )?(first|second|third|fourth|one|two|three|four|[1-4])(?: one| option)?(?: please)?"
)

_PERSON = re.compile(r"人工|真人|客服|\b(?:agent|human|person|operator|representative)\b")
_FILLERS = re.compile(r"^(?:嗯+|呃+|啊+|那个|就是|um+|uh+|er+|well|so|ok(?:ay)?)[\s,，、]*(?=\S)")
_PUNCTUATION = re.compile(r"[\s,.!?;:，。！？；：、…\-—~～\"'“”‘’()（）]+")

_ZH_DIGIT = "零〇一二三四五六七八九幺两"
_EN_DIGIT = r"zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple"
_EN_NUMBER = (
    _EN_DIGIT
    + r"|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty"
    r"|sixty|seventy|eighty|ninety|hundred|thousand|million|billion|point"
)
_ENDS_IN_NUMBER = re.compile(rf"(?:[0-9{_ZH_DIGIT}十百千万亿点]个?|\b(?:{_EN_NUMBER}))(?:\s*and)?$")
# 一下, 一点, 万一 … are words.
_NUMBER = re.compile(
    rf"[0-9]|(?<!万)(?!一[下点些般直起定样会旦遍次句个件位]|万一|千万)[{_ZH_DIGIT}十百千万](?<!第一)|\b(?:{_EN_NUMBER})\b|百分之|percent|number|号码|卡号|尾号"
)
_MONTH = "january|february|march|april|may|june|july|august|september|october|november|december"
_PART_OF_DATE = re.compile(
    rf"(?:[0-9{_ZH_DIGIT}十]+\s*(?:年|月)|(?:{_MONTH.replace('may|', '')})|(?:{_MONTH}) (?:the )?[0-9]{{1,2}}(?:st|nd|rd|th)?"
    r"|\b(?:on|until|since|from) the)$"
)
# What is said right before a number, or a name: nobody stops there.
_LEADS_ON = re.compile(
    r"(?:号码?(?:是|为)?|尾号|账号|账户是|卡号|金额(?:是|为)?|密码是|(?<![接打回听])电话(?:是)?|百分之|人民币|美元|港币|一共|大概|大约|差不多|第"
    r"|是|为|到|转|转给|汇|存|取|贷|买|和|跟|与|还有|以及|或者|但是|因为|所以|如果|把|给|从|在|的话|比如"
    r"|\b(?:is|are|was|(?:account|card|phone|mobile) numbers?|ending|ending in|ends in|amount of|about|around|the|a|an|my|of|to|from|for|in|on|at|and|or"
    r"|but|because|if|with|by|that|than|between|transfer|pay|send|dollars and|yuan and|pounds and|euros and|minus|plus))$"
)
_SMALL = re.compile(r"(?:^|[^0-9 ])\s?[0-9]{1,2}$")  # under 18; and the beginning of 20 5,000
_ASKS_HOW = re.compile(r"(?:怎么|怎样|如何|哪|什么时候|能不能|可不可以|可以).{0,8}[到转汇存取贷买]$")
_ORDINAL = re.compile(
    r"(?:我?选|我?要|是)?第[一二两三四五六1-6](?:个|项|条|种)?|(?:the )?(?:first|second|third|fourth)(?: one)?"
    r"|(?:number|option) (?:one|two|three|four|[1-4])"
)
_LONG_NUMBER = re.compile(
    r"手机|电话|[卡账帐][号后]|[账帐]户号|身份证|\b(?:phone|mobile|card number|account number|iban|passport|id number|telephone)\b"
)
_DIGIT_RUN = re.compile(
    rf"(?:[0-9{_ZH_DIGIT}]|\b(?:{_EN_DIGIT})\b)(?:[\s\-]*(?:[0-9{_ZH_DIGIT}]|\b(?:{_EN_DIGIT})\b))*$"
)
_ONE_DIGIT = re.compile(rf"[0-9{_ZH_DIGIT}]|\b(?:{_EN_DIGIT})\b")
# What recognisers write for a digit at the end of a group ("138" is heard as "13吧"), and a few characters after digits.
_SOUNDS_LIKE_DIGIT = "悠优吧把爸就久酒是似死事我无午舞流留刘期起气齐要腰药摇幼衣以已医儿而耳饿山散伞善另领林灵"
_DIGITS_NEAR_END = re.compile(rf"[0-9{_ZH_DIGIT}]\s*[{_SOUNDS_LIKE_DIGIT}]{{1,4}}$")
_AMOUNT_DUE = re.compile(
    r"(?:转|汇|打)(?:账|款|钱)?(?:给|到)[^0-9零一二三四五六七八九十百千万两]{1,8}$"
)  # to whom, and not yet how much
_LIKE_DIGITS = re.compile(rf"[0-9{_ZH_DIGIT}{_SOUNDS_LIKE_DIGIT}]{{2,}}$")
_NUMBER_BEGUN = re.compile(rf"(?:[0-9{_ZH_DIGIT}]|\b(?:{_EN_DIGIT})\b)\W*\w{{0,4}}$")
_ASKS = re.compile(r"(?:吗|呢|多少|怎么|什么|哪|如何|能|可以|办|开头|开通|忘|丢)")
_MOBILE, _CARDS, _IDENTITY = 11, range(16, 20), 18
# How many digits make one, by what is read out; an IBAN or a passport's may have any.
_WHOLE: tuple[tuple[re.Pattern[str], frozenset[int]], ...] = (
    (re.compile(r"卡|[账帐][户号]|\bcard\b"), frozenset(_CARDS)),
    (re.compile(r"身份证"), frozenset({_IDENTITY})),
    (re.compile(r"手机|电话|\b(?:phone|mobile|telephone)\b"), frozenset({_MOBILE})),
)

#: Seconds of silence after which a turn is over, by how open its last words leave it.
OPEN_NUMBER, OPEN_LONG_NUMBER, OPEN_PHRASE = 2.6, 4.0, 2.0


def has_number(text: str) -> bool:
    """Whether a number was said, begun or announced."""
    return bool(_NUMBER.search(plain(text)))


def agreement(said: str) -> bool | None:
    """Whether `said`, plain, is a yes or a no and nothing else; None for any other words."""
    return True if _YES.fullmatch(said) else False if _NO.fullmatch(said) else None


def choice(said: str) -> int:
    """Which of several offered things `said`, plain, names by its number, from 1; 0 for none."""
    found = _CHOICE.fullmatch(said)
    return _ORDINALS[found[1] or found[2]] if found else 0


def plain(text: str) -> str:
    """Folded, without punctuation, one space between words: the form that the tables are read with."""
    return _PUNCTUATION.sub(" ", fold(text)).strip()


def is_backchannel(text: str) -> bool:
    """Whether `text` is only nodding along: "嗯嗯", "对对对", "yeah, okay"."""
    said = plain(text)
    if not said:
        return False
    if said in BACKCHANNELS:
        return True
    parts = said.split()
    return all(part in BACKCHANNELS or _repeats(part.rstrip("啊呀呢哦吧嘛哈")) for part in parts)


def _repeats(part: str) -> bool:
    """嗯嗯嗯, 对对对, 好的好的: one entry of the table said over and over."""
    return any(
        len(part) % size == 0 and part[:size] in BACKCHANNELS and part == part[:size] * (len(part) // size)
        for size in range(1, len(part) + 1)
    )


def stands_alone(text: str) -> bool:
    """Whether `text` is whole as it is: a nod, a command, a yes or a no, the number of a choice."""
    said = plain(text)
    answers = agreement(said) is not None or bool(_ORDINAL.fullmatch(said))
    return answers or is_backchannel(text) or command(text) is not None


def has_substance(text: str, *, sure: bool) -> bool:
    """Whether `text`, said while somebody else speaks, is more than a scrap. sure: whether it was heard well."""
    said = plain(text)
    if _PERSON.search(said):
        return True
    count, least = (len(said.replace(" ", "")), 3) if han_share(said) > 0.5 else (len(said.split()), 2)
    return count >= least + (not sure)


def command(text: str) -> Command | None:
    """What the customer tells the voice itself, when that is all that they say."""
    said = _FILLERS.sub("", plain(text))
    return next((kind for kind, pattern in _COMMAND.items() if pattern.fullmatch(said)), None)


def patience(text: str) -> float:
    """Seconds of silence that must pass before the turn is over because of its last words; 0 when they leave nothing open.

    A number may go on (an amount, a card, a phone number: read in groups, with pauses), unless it has just as many digits as
    such numbers have; so may a phrase that leads on to something.
    """
    said = plain(text)
    if not said or _ORDINAL.fullmatch(said):
        return 0.0
    if _ENDS_IN_NUMBER.search(said):
        return _after_number(said)
    if _DIGITS_NEAR_END.search(said):
        return OPEN_LONG_NUMBER if _LONG_NUMBER.search(said) else OPEN_NUMBER
    begun = _NUMBER_BEGUN.search(said) or _LIKE_DIGITS.search(said)
    if begun and _LONG_NUMBER.search(said) and not _ASKS.search(said):
        return OPEN_LONG_NUMBER
    if _PART_OF_DATE.search(said) or (_AMOUNT_DUE.search(said) and not _ASKS.search(said)):
        return OPEN_NUMBER
    if _LEADS_ON.search(said) and not _ASKS_HOW.search(said):
        return OPEN_LONG_NUMBER if _LONG_NUMBER.search(said) else OPEN_PHRASE
    return 0.0


def _after_number(said: str) -> float:
    run = _DIGIT_RUN.search(said)
    digits = len(_ONE_DIGIT.findall(run[0])) if run else 0
    if not _LONG_NUMBER.search(said):
        if _SMALL.search(said):
            return OPEN_NUMBER / 2
        # 1 3 8 … is a mobile number even when nobody says so; four digits may be a card's tail or the first group of four.
        return OPEN_LONG_NUMBER if digits > 4 and digits not in (_MOBILE, *_CARDS, _IDENTITY) else OPEN_NUMBER
    whole = next((lengths for kind, lengths in _WHOLE if kind.search(said)), frozenset[int]())
    return OPEN_NUMBER / 2 if digits in whole else OPEN_LONG_NUMBER
