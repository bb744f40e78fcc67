"""Chinese number words into figures: amounts, rates, dates, terms, times, phone and card digits, and 3千5 or 2万5千.

A word is turned only where it can be nothing but a number: 一下, 万一, 三心二意, 十分 and vague 三五个, 几百, 十几万 stay.
Knows nothing about recognisers. Not covered: fractions, 半 in amounts (三万半), amounts under one yuan without 钱 (五分).
"""

import re
from collections.abc import Callable
from decimal import Decimal

from openteller.core.numerals import arabic, chinese, in_chinese, plain
from openteller.voice.inverse.groups import joined

IDIOMS = (
    "七七八八", "十万八千里", "一千零一夜", "十万火急", "三千弱水", "百万雄师", "一百八十度大转弯", "三百六十行", "一五一十",
    "五五开", "九九八十一", "三七二十一", "三百六十度",
)  # fmt: skip
"""Numbers that count nothing. A bank adds its own."""
_D = "[零〇一二三四五六七八九]"
_S = "零〇一二三四五六七八九幺"
_N = "零〇一二两兩三四五六七八九十百千万萬亿億"
_SMALL = r"(?:[二三]?十[一二三四五六七八九]?|[一二两三四五六七八九])"
_AMOUNT = rf"(?:[{_N}\d][{_N}\d,]*(?:\.\d+|点{_D}+)?[万亿千百]?)"
_FREE = rf"(?<![{_N}\d.,几幾数好第点])(?<![星日]期)(?<!周)"
_END = rf"(?![{_N}\d点几]|[.,]\d)"
_YUAN = "元块圆塊圓"
_CURRENCY = rf"(?:[{_YUAN}]|美元|美金|欧元|英镑|港币|港元|日元|澳元|澳币|加元|新币|韩元|泰铢)"
_ONES = str.maketrans("零〇一二三四五六七八九幺", "001234567891")
_DAYTIME = r"(?:上午|下午|早上|晚上|中午|凌晨|傍晚|今晚|明早)"


def _value(text: str) -> Decimal | None:
    """The value of a numeral in Chinese characters, digits, or both; None when it is none, or vague (三五百)."""
    text = text.replace(",", "")
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return Decimal(text)
    if match := re.fullmatch(r"(\d+\.\d+)([十百千万亿]+)", text):
        return arabic(match[1], match[2])
    if match := re.fullmatch(rf"(.+)点({_D}+)([百千万亿]*)", text):
        whole = _value(match[1])
        return None if whole is None else arabic(f"{plain(whole)}.{match[2].translate(_ONES)}", match[3])
    if "." in text or re.search(r"[一二两兩三四五六七八九]{2}|\d{9}", text):
        return None
    return chinese(re.sub(r"\d+", lambda d: ("零" if d.group()[0] == "0" else "") + in_chinese(int(d.group())), text))


def _figure(text: str) -> str | None:
    """The numeral in figures, its 万 or 亿 kept where nothing follows it: 五万 is 5万, 两万五 is 25000."""
    if text[-1] in "万亿" and len(text) > 1:
        head = _value(text[:-1])
        return None if head is None else f"{plain(head)}{text[-1]}" if head < 10_000 else None
    whole, point, fraction = text.partition("点")
    value = _value(whole if point and set(fraction) <= set(_S) else text)
    if value is None:
        return None
    return f"{plain(value)}.{fraction.translate(_ONES)}" if point and set(fraction) <= set(_S) else plain(value)


def _percent(match: re.Match[str]) -> str:
    mark = {"百": "%", "千": "‰", "万": "‱"}[match["base"]]
    numbers = ["100" if n == "百" else _figure(n) for n in (match["low"], match["n"]) if n]
    if None in numbers:
        return match.group()
    return ("-" if match["minus"] else "") + "到".join(f"{n}{mark}" for n in numbers)


def _date(match: re.Match[str]) -> str:
    month, day = _value(match["m"]), _value(match["d"]) if match["d"] else None
    if month is None or not 1 <= month <= 12 or (day is not None and not 1 <= day <= 31):
        return match.group()
    year = f"{match['y'].translate(_ONES)}年" if match["y"] else ""
    return f"{year}{month}月" + (f"{day}{match['end'] or ''}" if day is not None else "")


def _decimal(match: re.Match[str]) -> str:
    whole = match["whole"]
    before, after = match.string[: match.start()][-2:], match.string[match.end() :]
    if re.match(r"[十分刻钟点半]", after) or re.search(_DAYTIME, before):
        return match.group()
    sure = len(match["rest"]) > 1 or re.match(r"[万亿千百倍元块%]", after) or re.search(r"[是为率到约]$", before)
    value = _value(whole)
    if value is None or (whole == "一" and not sure):
        return match.group()
    return ("-" if match["minus"] else "") + f"{plain(value)}.{match['rest'].translate(_ONES)}"


def _time(match: re.Match[str]) -> str:
    hour, minute = _value(match["h"]), _value(match["mi"].lstrip("零") or "零") if match["mi"] else None
    if hour is None or hour > 24 or not (match["part"] or match["mi"] or match["rest"]):
        return match.group()
    if match["h"] == "一" and not match["part"]:
        return match.group()  # 一点半懂不懂
    tail = f"{minute:02}分" if minute is not None else match["rest"] or ""
    return f"{match['part'] or ''}{hour}点{tail}"


def _money(match: re.Match[str]) -> str:
    if match["n"] == "一" and not (match["money"] or match["jiao"] or match["fen"] or match["fen2"]):
        return match.group()  # 一块儿去
    currency = "元" if match["currency"] in _YUAN else match["currency"]
    minus = "-" if match["minus"] else ""
    fen = match["fen"] or match["fen2"]
    if not (match["jiao"] or fen):
        figure = _figure(match["n"])
        return match.group() if figure is None else f"{minus}{figure}{currency}"
    value = _value(match["n"])
    if value is None:
        return match.group()
    for digit, unit in ((match["jiao"], "0.1"), (fen, "0.01")):
        value += Decimal((digit or "0").translate(_ONES)) * Decimal(unit)
    return f"{minus}{plain(value)}{currency}"


def _small_money(match: re.Match[str]) -> str:
    jiao, fen = match["jiao"] or "0", match["fen"] or match["fen_"] or "0"
    value = Decimal(jiao.translate(_ONES)) / 10 + Decimal(fen.translate(_ONES)) / 100
    return f"{plain(value)}元"


def _cardinal(match: re.Match[str]) -> str:
    figure = _figure(match["n"])
    return match.group() if figure is None else ("-" if match["minus"] else "") + figure


def _count(match: re.Match[str]) -> str:
    low, n = match["low"], match["n"]
    return (f"{_value(low)}{match['to']}" if low else "") + f"{_value(n)}{match['unit']}"


def _run(match: re.Match[str]) -> str:
    return re.sub(" ", "", match.group()).translate(_ONES)


_CUES = ("尾号", "尾号是", "尾号为", "末四位", "末四位是", "卡号", "卡号是", "账号是", "验证码", "验证码是", "号码是")
_CUE = "|".join(f"(?<={cue})" for cue in _CUES)
_NO_CUE = "".join(f"(?<!{cue})" for cue in _CUES)  # 尾号七七八八 is a card's
_SPLIT = re.compile(f"({_NO_CUE}(?:{'|'.join(IDIOMS)}))")
_Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]
_RULES: tuple[_Rule, ...] = (
    (re.compile(rf"(?P<minus>负)?(?P<base>[百千万])分之(?:(?P<low>{_AMOUNT})[到至](?:[百千万]分之)?)?(?P<n>百(?![{_N}])|{_AMOUNT})"), _percent),
    (re.compile(rf"(?:(?P<y>{_D}{{4}}|\d{{4}})年)?(?<![{_N}个])(?P<m>{_SMALL})月(?!亮|饼|薪|老)(?:(?P<d>{_SMALL})(?P<end>[日号])?(?![个{_N}百天年]))?"), _date),
    (re.compile(rf"(?<![{_N}])(?P<y>[一二][零〇九]{_D}{{2}})(?=年)"), _run),
    (re.compile(rf"(?<=[每月])(?P<n>{_SMALL})(?=[日号])"), lambda m: str(_value(m["n"]))),
    (re.compile(rf"(?P<part>{_DAYTIME})?(?<![{_N}\d])(?P<h>{_SMALL}|二十[一二三四])点(?:(?P<mi>零{_D}|[二三四五]?十{_D}?)分?(?!{_D})|(?P<rest>半|钟|整))?(?![{_N}]|{_CURRENCY})"), _time),
    (re.compile(rf"(?<!正)(?P<minus>负)?{_FREE}(?P<n>{_AMOUNT})(?P<currency>{_CURRENCY})(?P<money>[钱錢])?(?:(?P<jiao>[1-9一二三四五六七八九])(?:[角毛]|(?![\d一-鿿.]))(?:(?P<fen>[1-9一二三四五六七八九])分)?|零(?P<fen2>[1-9一二三四五六七八九])分)?"), _money),
    (re.compile(rf"{_FREE}(?P<jiao>[1-9一二三四五六七八九])[角毛](?:(?P<fen>[1-9一二三四五六七八九])分[钱錢]?|[钱錢])|(?<!\d){_FREE}(?P<fen_>[1-9一二三四五六七八九])分[钱錢]"), _small_money),
    (re.compile(rf"(?<!正)(?P<minus>负)?{_FREE}(?P<whole>[{_N}]+)点(?P<rest>{_D}+)(?![十百千])"), _decimal),
    (re.compile(rf"{_FREE}(?:(?P<low>{_SMALL})(?P<to>[到至]))?(?P<n>[二三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九])(?P<unit>个月|年期|天期|个工作日|小时|分钟)(?<!一个月)(?<!一小时)(?<!一分钟)"), _count),
    (re.compile(rf"(?<!正)(?P<minus>负)?{_FREE}(?P<n>(?=[^{_N}]*[{_N}\d]*[百千万亿])[一二两三四五六七八九十\d][{_N}\d]+|\d+(?:\.\d+)?[百千][{_N}\d]*){_END}"), _cardinal),
    (re.compile(rf"(?<![{_N}点])(?:(?:{_CUE})[{_S}](?: ?[{_S}])+|[{_S}]{{3,4}}(?:[，, ]+[{_S}]{{3,4}}){{2,}}(?:[，, ]+[{_S}]{{1,4}})?"
                rf"|[{_S}](?: ?[{_S}]){{3,}})(?![{_N}点])"), _run),
)  # fmt: skip


def figures(text: str) -> str:
    """`text` with Chinese number words in figures."""
    return "".join(part if part in IDIOMS else _plain_figures(part) for part in _SPLIT.split(text))


def _plain_figures(text: str) -> str:
    for pattern, figure in _RULES:
        text = pattern.sub(figure, text)
    return joined(text)
