"""Whether what was said so far is all of it, by its words and figures, weighed by what was learnt.

A logistic regression over signs that a person can read (turn_ends.json; fitted by benchmarks/turn_ends.py on spoken lines, so
that it knows what the recogniser writes): the last words with figures as zeros, how many digits were said of which kind of
number, which question was begun, and the recogniser's last mark. Intonation is none of them: in speech that was made for
fitting it is not people's. Knows nothing about sound or time, and nothing about what the bank answers.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from openteller.voice import manners

# What kind of number is being said: of each it is known how many digits make one.
_KINDS = {
    "phone": r"手机|电话|联系方式|座机|phone|mobile|cell|call me|reach me|ring me",
    "card": r"[卡储][号片]|银行卡|储蓄卡|信用卡|card",
    "account": r"[账帐]户|[账帐]号|account|iban",
    "identity": r"身份证|证件|护照|通行证|passport|social|ssn|licen[cs]e|\bid\b",
    "tail": r"尾号|[后末]四位|最后四|ending|ends in|last four",
    "code": r"验证码|校验码|密码|动态码|口令|passcode|one time|otp|\bcode\b|\bpin\b",
    "reference": r"流水|单号|编号|凭证|参考号|合同|支票|reference|case|ticket|confirmation|che(?:que|ck)|policy|tracking|order",
    "place": r"行号|邮编|区号|sort code|routing|zip|postcode|postal|area code|swift",
    "date": r"生日|出生|有效期|日期|到期|born|birth|date|expir|[年月]",
    "rate": r"利率|百分之|年化|汇率|费率|rate|percent|apr|yield",
    "amount": r"转|汇|打|存|取|还|贷|借|付|扣|额度|金额|余额|花|充|transfer|pay|paid|send|sent|withdr|deposit|borrow|loan|balance|limit|charged|amount",
}  # fmt: skip
_KIND = {name: re.compile(pattern) for name, pattern in _KINDS.items()}
_ENDS = {
    "digit": r"[0-9零〇一二三四五六七八九幺两]$|\b(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)$",
    "scale": r"[十百千万亿]$|\b(?:ten|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million)$",
    "unit": r"[元块毛角分钱期年月天日号岁位个%]$|(?:dollars?|pounds?|euros?|bucks|quid|cents|pence|percent|months?|years?|days?|weeks?|%)$",
    "asks": r"[吗呢么]$|多少$|几[点号年个位]?$",
    "softens": r"[吧啊呀了的呗嘛哦]$",
}  # fmt: skip
_END = {name: re.compile(pattern) for name, pattern in _ENDS.items()}
_QUESTION = re.compile(
    r"怎么|怎样|如何|多少|什么|哪|几|吗|呢|能不能|可不可以|是不是|有没有|要不要|为啥|为什么"
    r"|\b(?:how|what|when|where|which|who|why|can|could|do|does|is|are|will|would)\b"
)
_FIGURES = re.compile(r"[0-9]+")
_MOST_DIGITS = 20


@dataclass(frozen=True)
class TurnEnds:
    """The weights of the signs: log-odds that the turn is over."""

    bias: float
    weights: Mapping[str, float]

    def probability(self, text: str) -> float:
        """The probability that nothing follows `text`, as the recogniser wrote it, with its marks."""
        log_odds = self.bias + sum(self.weights.get(sign, 0.0) for sign in signs(text))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, log_odds))))


@cache
def load_turn_ends() -> TurnEnds:
    """What ships."""
    told = json.loads((files("openteller.voice") / "turn_ends.json").read_text("utf-8"))
    return TurnEnds(told["bias"], told["weights"])


def signs(text: str) -> frozenset[str]:
    """The signs of one pause."""
    return frozenset(_signs(text))


def _signs(text: str) -> Iterator[str]:
    said = manners.plain(text)
    end = next((name for name, pattern in _END.items() if pattern.search(said)), "word")
    mark = text.rstrip()[-1:]
    yield f"end {end}"
    yield f"mark {mark if mark and not mark.isalnum() else ''}"
    yield f"length {min(6, len(said) // 4)}"
    yield from _of_numbers(said, end)
    yield from _of_questions(said)
    yield from _last_words(_FIGURES.sub(lambda found: "0" * min(4, len(found[0])), said))


def _of_numbers(said: str, end: str) -> Iterator[str]:
    """How many digits of which kind of number, how round the last one is, and what follows it."""
    runs = list(_FIGURES.finditer(said))
    digits = min(_MOST_DIGITS, sum(len(run[0]) for run in runs))
    after = said[runs[-1].end() :].strip() if runs else ""
    last = min(_MOST_DIGITS, len(runs[-1][0])) if runs and not after else 0
    yield f"groups {min(4, len(runs))} end {end}"
    yield f"last {last}"
    for kind in [name for name, pattern in _KIND.items() if pattern.search(said)] or ["none"]:
        yield f"{kind} end {end}"
        yield f"{kind} digits {digits}"
        yield f"{kind} last {last}"
    if runs:
        number = runs[-1][0]
        round_to = f"zeros {min(5, len(number) - len(number.rstrip('0')))} of {min(8, len(number))}"
        yield round_to if after else f"ends {round_to}"
        yield f"after {min(8, len(after))}"
        yield f"after {after[:2]}…"


def _of_questions(said: str) -> Iterator[str]:
    """Which question was begun, and how much came after it."""
    asked = list(_QUESTION.finditer(said))
    if not asked:
        yield "asks nothing"
        return
    after = len(said) - asked[-1].end()
    yield f"asks {min(6, after // 2)}"
    yield f"asks first {min(4, asked[0].start() // 3)}"
    yield f"asked {asked[-1][0]} then {min(4, after)}"


def _last_words(said: str) -> Iterator[str]:
    """The last one to five characters, the last one to three words, and how it began."""
    for count in range(1, min(5, len(said)) + 1):
        yield f"…{said[-count:]}"
    words = said.split()
    for count in range(1, min(3, len(words)) + 1):
        yield f"… {' '.join(words[-count:])}"
    if words:
        yield f"{said[:2]}…"
        yield f"{words[0]} …"
