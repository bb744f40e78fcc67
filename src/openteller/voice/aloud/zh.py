"""Figures in Chinese words: ¥12,345.67 is 一万两千三百四十五元六角七分, 3.25% is 百分之三点二五, 13800138000 is 幺三八….

An ordered table of rules; each takes what it knows out of the text, and the last reads any number that is left.
Knows nothing about markup or pauses. Not covered: Roman numerals, chess-like notation, formulas.
"""

import re
from collections.abc import Callable

from openteller.core.numerals import in_chinese, plain, scaled
from openteller.voice.aloud.tables import BY_SIGN, CODE, MINUS, NUMBER, SIGN, UNIT, UNITS

_ONE_BY_ONE = str.maketrans("0123456789", "零一二三四五六七八九")
_COUNTED = [
    "年期",
    "年",
    "天",
    "个",
    "次",
    "笔",
    "张",
    "种",
    "项",
    "位",
    "名",
    "元",
    "块",
    "家",
    "倍",
    "小时",
    "分钟",
    "秒",
    "周",
    "万",
    "亿",
    "千",
    "人",
    "户",
    "份",
    "条",
    "件",
    "套",
    "遍",
    "步",
    "岁",
    "点",
    "股",
    "只",
    "克",
    "米",
    "厘米",
    "毫米",
    "公里",
    "公斤",
    "平方",
    "立方",
    "度",
    "美元",
    "欧元",
    "英镑",
    "港元",
    "港币",
    "日元",
    "澳元",
    "加元",
    "本",
    "把",
    "部",
    "台",
    "段",
    "组",
    "句",
    "轮",
    "届",
    "门",
    "间",
    "座",
    "片",
    "块钱",
    "成",
    "斤",
    "吨",
]
"""Words that are counted with 两: two years are 两年. Months, days of the month, floors and classes take 二."""
_TWO = re.compile(rf"(?<![第\d.])2(?=[ ]?(?:{'|'.join(sorted(_COUNTED, key=len, reverse=True))})(?!级|等))")
_DIGIT_CUE = r"(?:尾号|末[三四五六]位|卡号|账号|帐号|户号|验证码|证件号码?|身份证号?码?|编号|单号|订单|流水号|代码|邮编|工号|号码)"
_UNIT_OF_MONEY = r"(?P<unit>万亿|百万|千万|万|亿|千|k|K|million|billion)?"
_PHONE_CUE = r"(?P<cue>(?:电话|热线|客服|手机号?码?|拨打|致电|联系)[为是:]? ?)"


def _digits(text: str, one: str = "一") -> str:
    """Digits one by one; anything else between them goes."""
    return "".join(c for c in text if c.isdigit()).translate(_ONE_BY_ONE).replace("一", one)


def _number(text: str) -> str:
    """A number by its value; digit by digit with a leading zero or more than 16 digits."""
    whole, _, fraction = text.replace(",", "").partition(".")
    by_digits = len(whole) > 16 or (len(whole) > 1 and whole[0] == "0")
    spoken = _digits(whole) if by_digits else in_chinese(int(whole))
    return f"{spoken}点{_digits(fraction)}" if fraction else spoken


def _counted(text: str) -> str:
    return "两" if text.replace(",", "") == "2" else _number(text)


def _yuan(text: str) -> str:
    """An amount in renminbi: 12,345.67 is 一万两千三百四十五元六角七分, 0.05 is 五分."""
    whole, _, fraction = text.replace(",", "").partition(".")
    if len(fraction) > 2 or len(whole) > 16:
        return _number(text) + "元"
    jiao, fen = fraction[:1] or "0", fraction[1:] or "0"
    yuan = _counted(whole) + "元" if int(whole) or not int(fraction or 0) else ""
    tail = f"{_digits(jiao)}角" if jiao != "0" else "零" if fen != "0" and yuan else ""
    return yuan + tail + (f"{_digits(fen)}分" if fen != "0" else "")


def _money(match: re.Match[str]) -> str:
    groups = match.groupdict()
    sign = groups.get("sign") or groups.get("code") or ""
    name = BY_SIGN[sign].zh if sign in BY_SIGN else "元"
    negative = "负" if "-" in (groups.get("minus") or "") + (groups.get("minus2") or "") else ""
    number, unit = groups["number"], groups["unit"] or ""
    if unit in ("k", "K", "million", "billion"):
        number, unit = plain(scaled(number, unit)), ""
    if unit or name != "元":
        number = number.rstrip("0").rstrip(".") if "." in number else number
        return negative + _counted(number) + unit + name
    return negative + _yuan(number)


def _address(match: re.Match[str]) -> str:
    """A web or mail address, word by word: www.bank.com is www点bank点com."""
    text = re.sub(r"^\w+://(?:www\.)?|^mailto:|[?#].*|[/.]+$", "", match.group())
    text = re.sub(r"\d+", lambda d: _digits(d.group()), text)
    for sign, name in (("@", " 艾特 "), (".", " 点 "), ("/", " 斜杠 "), ("-", " 杠 "), ("_", " 下划线 ")):
        text = text.replace(sign, name)
    return f" {text} "


def _date(match: re.Match[str]) -> str:
    year, month, day = match["y"], int(match["m"]), int(match["d"])
    return f"{_digits(year)}年{in_chinese(month)}月{in_chinese(day)}日"


def _day_first(match: re.Match[str]) -> str:
    month, day = (match["b"], match["a"]) if int(match["a"]) > 12 else (match["a"], match["b"])
    return f"{_digits(match['y'])}年{_number(str(int(month)))}月{_number(str(int(day)))}日"


def _time(match: re.Match[str]) -> str:
    hour, minute, second = int(match["h"]), match["mi"], match["s"]
    half = (match["half"] or "").replace(".", "").lower().strip()
    part = {"am": "上午", "pm": "下午"}.get(half, "")
    spoken = f"{part}{_counted(str(hour))}点"
    if minute != "00" or second:
        spoken += f"{'零' if minute < '10' and minute != '00' else ''}{in_chinese(int(minute))}分"
    return spoken + (f"{in_chinese(int(second))}秒" if second else "")


def _phone(match: re.Match[str]) -> str:
    """Groups of a phone number with a short pause between them; a mobile number is read 3-4-4."""
    text = match.group().removeprefix(match.groupdict().get("cue") or "")
    digits = re.sub(r"\D", "", text)
    if len(digits) in (11, 13) and re.fullmatch(r"(?:86)?1[3-9]\d{9}", digits):
        groups = [digits[:-11], digits[-11:-8], digits[-8:-4], digits[-4:]]
    else:
        groups = re.findall(r"\d+", text)
    return ("加 " if text.startswith("+") else "") + "，".join(_digits(g, "幺") for g in groups if g)


def _card(match: re.Match[str]) -> str:
    """A long number in groups of four, as it is printed on a card."""
    digits = re.sub(r"\D", "", match.group())
    return "，".join(_digits(digits[i : i + 4]) for i in range(0, len(digits), 4))


_SHARES = {"%": "百分之", "‰": "千分之", "‱": "万分之"}


def _masked(match: re.Match[str]) -> str:
    """A masked number: its head if it is shown, and 尾号 with the tail."""
    return (f"{_digits(match['head'], '幺')}，" if match["head"] else "") + f"尾号{_digits(match['n'])}"


def _percent(match: re.Match[str]) -> str:
    return f"{'负' if match['minus'] else ''}{_SHARES[match['base']]}{_number(match['number'])}"


def _percent_range(match: re.Match[str]) -> str:
    base = _SHARES[match["base"]]
    return f"{'负' if match['minus'] else ''}{base}{_number(match['low'])}到{base}{_number(match['number'])}"


def _unit(match: re.Match[str]) -> str:
    return _counted(match["number"]) + UNITS[match["unit"]][0]


def _fraction(match: re.Match[str]) -> str:
    return f"{_number(match['below'])}分之{_number(match['above'])}"


_Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]
_NO_DIGIT = r"(?![\d]|[.,]\d)"
_RULES: tuple[_Rule, ...] = (
    (re.compile(r"(?:https?|ftp)://[!-~]+|(?:mailto:)?[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
                r"|(?<![A-Za-z0-9.])(?:[A-Za-z0-9-]+\.)+(?:com|cn|net|org|gov|edu|io)(?![A-Za-z0-9])(?:/[!-~]*)?"), _address),
    (re.compile(r"(?:(?P<head>(?<!\d)\d{3,6})[ -]?)?(?:尾号[为是:]? ?)?(?:[*•●＊#]{2,}|[xX]{3,})(?:[ -]?[*•●xX#]{2,})*[ -]?(?P<n>\d{2,6})(?!\d)"), _masked),
    (re.compile(r"(?<!\d)(?P<y>\d{4})[-/.年] ?(?P<m>0?[1-9]|1[0-2])[-/.月] ?(?P<d>[12]\d|3[01]|0?[1-9])(?![\d.%]|-\d)(?:日|号|(?=T\d))?T?"), _date),
    (re.compile(r"(?<![\d/])(?P<a>\d{1,2})/(?P<b>\d{1,2})/(?P<y>\d{4})(?![\d/])"), _day_first),
    (re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)[-/](?P<m>0[1-9]|1[0-2])(?![\d./-])"), lambda m: f"{_digits(m['y'])}年{in_chinese(int(m['m']))}月"),
    (re.compile(r"(?<![\d.,])(?P<y>(?:19|20)\d\d)(?= ?(?:财?年(?!期)|年度))"), lambda m: _digits(m["y"])),
    (re.compile(r"(?<=[日月]) ?[-~] ?(?=[一二])|(?<=:\d\d) ?[-~] ?(?=\d{1,2}:\d\d)"), lambda m: "到"),
    (re.compile(r"(?<![\d:.])(?P<h>[01]?\d|2[0-4]):(?P<mi>[0-5]\d)(?::(?P<s>[0-5]\d)(?:\.\d+)?)?(?![\d:])(?:Z|\+\d\d:?\d\d(?!\d))?(?P<half> ?[AaPp]\.?[Mm]\.?(?![A-Za-z]))?"), _time),
    (re.compile(rf"(?<![\d.:])(?P<a>{NUMBER}) ?: ?(?P<b>{NUMBER})(?![\d:])"), lambda m: f"{_number(m['a'])}比{_number(m['b'])}"),
    (re.compile(r"(?<![\d.,])(?:\+ ?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}" + _NO_DIGIT), _phone),
    (re.compile(r"(?<![\d.,])(?:\+ ?\d{1,3}[ -])(?:\d{2,5}[ -]?){1,4}" + _NO_DIGIT), _phone),
    (re.compile(r"(?<![\d.,-])(?:400|800)[ -]?\d{3,4}[ -]?\d{3,4}" + _NO_DIGIT + r"|(?<![\d.,-])\(?0\d{2,3}[)-] ?[1-9]\d{3}[ -]?\d{3,4}" + _NO_DIGIT), _phone),
    (re.compile(rf"{_PHONE_CUE}\d[\d-]{{2,}}" + _NO_DIGIT), lambda m: m["cue"] + _phone(m)),
    (re.compile(r"(?<![\d.,¥$€£-])955\d{2}(?![\d.,]\d|\d|[元块万亿%个天年月日号笔])"), _phone),
    (re.compile(r"(?<![\d.,-])\d{4}(?:[ -]\d{4}){2,4}(?:[ -]\d{1,4})?" + _NO_DIGIT), _card),
    (re.compile(r"(?<![\d.,])\d{13,19}" + _NO_DIGIT), _card),
    (re.compile(rf"(?P<cue>{_DIGIT_CUE}[为是:(]{{0,2}}[ ]?)(?P<n>\d{{2,}}(?:-\d+)*)(?![\d.,]?\d|[元块万亿%个天年月次笔])"), lambda m: m["cue"] + _digits(m["n"])),
    (re.compile(rf"(?P<minus>{MINUS})?(?P<low>{NUMBER}) ?[%‰‱]? ?[-~至到] ?(?P<number>{NUMBER}) ?(?P<base>[%‰‱])"), _percent_range),
    (re.compile(rf"(?P<minus>{MINUS})?(?P<number>{NUMBER}) ?(?P<base>[%‰‱])"), _percent),
    (re.compile(r"(?<=[\d%元万亿千天年月日个点分岁期号]) ?[-~] ?(?=[¥$€£]?\d)|(?<=[A-Z][0-9]) ?[-~] ?(?=[A-Z]\d)"), lambda m: "到"),
    (re.compile(rf"(?P<minus>{MINUS})?(?P<sign>(?<![A-Za-z])(?:{SIGN})) ?(?P<minus2>-)?(?P<number>{NUMBER}) ?{_UNIT_OF_MONEY}(?![A-Za-z])(?: ?[元块])?"), _money),
    (re.compile(rf"(?P<minus>{MINUS})?(?P<number>{NUMBER}) ?{_UNIT_OF_MONEY} ?(?P<code>{CODE})(?![A-Za-z])"), _money),
    (re.compile(rf"(?P<minus>{MINUS})?(?P<number>{NUMBER}) ?(?P<unit>万亿|百万|千万|万|亿|千)?[元块](?![A-Za-z])"), _money),
    (re.compile(r"(?<=[A-Z]{3})-(?=\d+ ?(?:[Bb][Pp]|个?基点|百分))"), lambda m: "减"),
    (re.compile(rf"(?<![A-Za-z\d.])(?P<number>{NUMBER}) ?(?P<unit>{UNIT})(?![A-Za-z])"), _unit),
    (re.compile(r"(?<=[\d时天]) ?[xX×*] ?(?=\d)"), lambda m: "乘"),
    (re.compile(r"24/7"), lambda m: "全天候"),
    (re.compile(r"(?<![\d./])(?P<above>\d{1,3}) ?[/⁄] ?(?P<below>[1-9]\d{0,2})(?![\d./])"), _fraction),
    (re.compile(r"(?P<base>\d+)\^(?P<power>\d+)"), lambda m: f"{_number(m['base'])}的{_number(m['power'])}次方"),
    (re.compile(r"\^[23]"), lambda m: "平方" if m.group() == "^2" else "立方"),
    (re.compile(r"(?<=[A-Za-z])-?\d+|(?<=[A-Za-z]\d)\.\d+"), lambda m: ("点" if m.group()[0] == "." else "") + _digits(m.group())),
    (re.compile(r"(?<![\d.])\d+(?:\.\d+){2,}(?![\d.])"), lambda m: "点".join(_number(part) for part in m.group().split("."))),
    (re.compile(r"(?:^|(?<=[。；\n]))[ ]?\(?(\d{1,2})(?:[.、)](?!\d))[ ]?"), lambda m: f"{_number(m[1])}，"),
    (re.compile(r"(?<![A-Za-z0-9.%)])\+(?=[\d¥$])"), lambda m: "正"),
    (re.compile(MINUS), lambda m: "负"),
    (_TWO, lambda m: "两"),
    (re.compile(NUMBER), lambda m: _number(m.group())),
)  # fmt: skip
_SIGNS = {
    "&": "和", "+": "加", "=": "等于", "×": "乘", "÷": "除以", "≥": "大于等于", "≤": "小于等于", ">": "大于", "<": "小于",
    "≈": "约", "±": "正负", "@": "艾特", "%": "百分号", "‰": "千分号", "→": "，", "℃": "摄氏度",
}  # fmt: skip
_EACH = re.compile(r"(?<=[元角分次笔人户张零一二三四五六七八九十百千万亿]) ?/ ?(?=[年月日天周次笔人张户份克小]|季)")


def figures(text: str) -> str:
    """`text` with every number and sign in Chinese words."""
    for pattern, spoken in _RULES:
        text = pattern.sub(spoken, text)
    text = re.sub(rf"(?<![A-Za-z])(?:{SIGN})(?![A-Za-z])", _bare_sign, _EACH.sub("每", text.replace("和/或", "和或")))
    text = re.sub(r"(?<=[㐀-鿿A-Za-z]) ?/ ?(?=[㐀-鿿A-Za-z])", "或", text)
    return "".join(_SIGNS.get(character, character) for character in text)


def _bare_sign(match: re.Match[str]) -> str:
    """A currency without an amount: its sign is named, its code stays."""
    return match.group() if match.group().isalpha() else BY_SIGN[match.group()].zh
