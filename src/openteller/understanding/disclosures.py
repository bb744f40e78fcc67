"""Personal data that only the words around it give away: secrets, account numbers, addresses, birth dates, names.

A secret is the value after (or before) its cue: "验证码是 123456", "cvv 737", "123456 is my code", "密码abc123".
What is not covered: a secret without a cue ("try hunter2"), a password of plain letters without a copula or colon
("密码 hello"), values of more than 64 characters, addresses without a street number, names that nothing introduces.

Every pattern is linear by construction: a fixed cue, bounded fillers, possessive values, no nested repetition.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator

from openteller.understanding import people
from openteller.understanding.candidates import Candidate, Kind

_NOT_ALNUM = r"(?<![A-Za-z0-9])"
_ZH_CUE = (
    r"(?:密[码碼]|[验驗][证證][码碼]|校[验驗][码碼]|[动動][态態](?:密[码碼]|口令|[码碼])|口令|安全[码碼]"
    r"|授[权權][码碼]|短信[码碼]"
    r"|一次性[码碼])"
)
_EN_CUE = (
    rf"(?i:{_NOT_ALNUM}(?:pass(?:word|code|wd|phrase)?|pwd|pin(?: ?(?:code|number|no\.?))?|otp|cvv2?|cvc2?|csc|cvn2?"
    r"|(?:verification|security|one[ -]time|sms|auth(?:entication|orisation|orization)?|confirmation|login"
    r"|access|2fa|passcode)"
    r"[ -]?(?:code|password|pin|number))[码碼]?(?![A-Za-z]))"
)
_CUE = rf"(?:{_ZH_CUE}|{_EN_CUE})"
_COPULA = (
    r"(?:就?是|就?為|就?为|应该是|好像是|:|=|(?i:(?<![a-z])(?:is|was|are)(?![a-z]))|'s|[叫用]的?是?"
    r"|[改设設换換](?:置)?(?:成|为|為|回)了?|(?i:(?<![a-z])(?:changed|set|reset|change) (?:it )?to(?![a-z])))"
)
_LINK = rf"[ \"'“”‘’「」]{{0,3}}(?:{_COPULA}[ \"'“”‘’「」:]{{0,3}}){{0,2}}(?:(?i:still|now|actually|currently) )?"
_UNIT = (
    r"(?![ ]?(?:位|次|分|秒|天|年|月|日|块|塊|元|个|個|遍|条|小时|小時|号线|点|开头|開頭|岁|张|度|%|[万萬千百亿]"
    r"|(?i:digits?|times?|min|sec|days?|hours?|attempts?|char|letters?|numbers?|tries|yuan|rmb|dollars?"
    r"|months?|weeks?|years?|am|pm|or|to)(?![a-z])))"
)
_DIGITS = rf"(?<![\d.¥$])\d(?:[ -]?\d){{2,11}}+(?![\d%])(?![.,]\d){_UNIT}"
_TOKEN = r"[!#-&(-~]{3,64}+"  # printable ASCII without space and quotes
_DIRECT = re.compile(rf"{_CUE}(?P<link>{_LINK})(?P<value>{_TOKEN})")
_DIRECT_DIGITS = re.compile(rf"{_CUE}{_LINK}[(#]?(?P<value>{_DIGITS})")
_LINKED_VALUE = re.compile(
    rf"(?:{_COPULA}|从|從|(?i:(?<![a-z])(?:from|to)(?![a-z])))[ \"'“”‘’「」:]{{0,3}}(?P<value>{_TOKEN})"
)
_CUE_ALONE = re.compile(_CUE)
_SENTENCE_END = re.compile(r"[。！？!?\n￼]|\. ")
_WINDOW = 40
_REVERSED = re.compile(
    rf"(?P<value>(?<![\d.¥$A-Za-z])(?:\d{{3}}[ -]\d{{3}}|\d{{3,8}}))(?!\d)[ ,(（]{{0,2}}"
    rf"(?:就?是|作为|作為|当|當|(?i:(?<![a-z])(?:is|as|was)(?![a-z]))|这是|這是)[ ]?(?:(?i:my|the|your|a)"
    rf"|我的?|你的?|您的?|本次)?[ ]?"
    rf"(?:[一-鿿]{{0,6}}?|(?:(?i:card|bank|account|login|new|old|atm|app|current) ){{0,2}}){_CUE}"
    rf"|(?P<bare>(?<![\d.¥$A-Za-z])\d{{6}})(?!\d)[ ]?[(（]{_CUE}[)）]"
)
_OTHER_CODE = (
    "error", "swift", "branch", "sort", "country", "area", "zip", "promo", "product", "postal", "post", "fund",
    "bank", "reason", "status", "discount", "voucher", "stock",
)  # fmt: skip
_CODE = rf"(?i:(?<![a-z0-9]){''.join(f'(?<!{word} )' for word in _OTHER_CODE)}code)"
_PLAIN_CODE = re.compile(
    rf"{_CODE}(?: (?i:is|was)|:) ?(?P<value>{_DIGITS})|{_CODE} (?P<code>(?<!\d)\d{{6}}(?!\d))"
    r"|(?P<used>(?<![\d.¥$])\d{4,8}(?!\d)) (?i:is (?:the|my) (?:code|one))(?![a-z])"
)
_CODE_LATER = re.compile(
    rf"(?:[验驗][证證][码碼]|[动動][态態][码碼]|{_CODE}"
    rf"|(?i:otp))[^\d没沒不未￼\n]{{0,12}}?(?P<value>(?<![\d.¥$-])\d{{6}}(?![\d%.-]){_UNIT})"
)
_BACK_DIGITS = re.compile(
    r"(?:背面|卡背|签名栏|簽名欄|(?i:(?:on )?the back(?: of (?:the|my) card)?"
    r"|three digits))[^\d\n￼]{0,12}?(?P<value>(?<!\d)\d{3}(?!\d)" + _UNIT + ")"
)
_WORDS_NOT_SECRET = re.compile(
    r"a|accepted|also|always|an|and|app|asked|atm|being|blocked|case|change|changed|code|"
    r"compromised|correct|declined|different|expired|exposed|fine|for|forgotten|here|how|in|"
    r"incorrect|invalid|it|leaked|locked|login|longer|lost|missing|my|n/a|needed|never|new|"
    r"no|not|now|ok|okay|old|on|only|or|password|pin|refused|rejected|required|reset|right|"
    r"safe|same|sent|set|short|showing|simple|something|still|stolen|strong|stuck|the|there|"
    r"too|unknown|unsafe|visa|weak|what|where|why|working|wrong"
)

_ACCOUNT = re.compile(
    r"(?:账号|帳號|账户|帳戶|户口号码|戶口號碼|存折号|存摺號|卡号|卡號|银行卡|(?i:(?<![a-z])(?:(?:account"
    r"|acct|a/c|card)(?: (?:number|no\.?|num))?)(?![a-z])))"
    r"[ ]?(?:就?是|就?为|為|(?i:is|:)|[:#])?[ ]?(?P<value>(?<!\d)\d(?:[ -]?\d){7,29}+)(?!\d)"
)
_IDENTITY = re.compile(
    r"(?:身份[证證](?:号码?|號碼?)?|(?i:(?<![a-z])(?<!action )(?<!order )(?<!trace )(?<!ment )(?:id"
    r"|identity)(?: card)?(?: (?:number|no\.?))?))"
    r"[ ]?(?:就?是|为|為|(?i:is)|:|号)?[ ]{0,2}(?P<value>(?<!\d)\d(?:[ -]?\d){14,16}+[0-9Xx]?)(?!\d)"
)
_PASSPORT = re.compile(
    r"(?:护照(?:号码?)?|護照(?:號碼?)?|(?i:(?<![a-z])passport(?: (?:number|no\.?))?))"
    r"[ ]?(?:就?是|为|為|(?i:is)"
    r"|:)?[ ]{0,2}(?P<value>(?<![A-Za-z0-9])(?=[A-Za-z]{0,2}\d{5})[A-Za-z0-9]{7,9})(?![A-Za-z0-9])"
)
_PHONE = re.compile(
    r"(?:电话|電話|手机号?码?|手機|座机|(?i:(?<![a-z])(?:phone|call me (?:at|on)|mobile|tel|reach me (?:at"
    r"|on))(?: number)?))"
    r"[ ]?(?:就?是|为|為|(?i:is)|:)?[ ]{0,2}(?P<value>(?<![\d-])[2-9]\d{3}[ -]?\d{4})(?![\d-])"
)
_PLATE = re.compile(
    r"(?i:(?<![a-z])(?:licen[cs]e|number"
    r"|registration) plate (?:number )?(?:is )?)(?P<value>[A-Z0-9]{2,4}[ -]?[A-Z0-9]{2,4})(?![A-Za-z0-9])"
)

_DAY = (
    r"(?:(?:19|20)\d{2} ?[年./-] ?\d{1,2} ?[月./-] ?\d{1,2}(?: ?[日号號])?|(?:19|20)\d{6}(?!\d)"
    r"|\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d{2}"
    r"|(?i:\d{1,2}(?:st|nd|rd|th)? (?:of )?[a-z]{3,9},? (?:19|20)\d{2}|[a-z]{3,9}\.? \d{1,2}(?:st|nd|rd"
    r"|th)?,? (?:19|20)\d{2})"
    r"|\d{2}年\d{1,2}月\d{1,2}[日号]|\d{1,2}月\d{1,2}[日号號])"
)
_BIRTH = re.compile(
    rf"(?:生日|出生(?:日期|年月日?|于|於|在)?|[农阳]历生日|(?i:(?<![a-z])(?:born(?: on)?|dob|d\.o\.b\.?"
    rf"|date of birth|birth ?date|birthday)(?![a-z])))"
    rf"[ ]?(?:就?是|为|為|(?i:is|was|on)|:)?[ ]{{0,2}}(?P<value>{_DAY})|(?P<before>{_DAY})(?:出生|生的?(?![效产活]))"
)

_ROAD_TAIL = re.compile(
    r"(?:路|街|大道|(?<![知频渠报味通难地轨])道|巷|弄|胡同|村|新村|小区|小區|花园|花園|苑|公馆|社区|广场|大厦|大廈)"
    r"(?:[东南西北中東一二三四五六七八九]?[段路侧]?)\d{1,5}(?:号院|号楼|號樓|号|號|弄|栋|棟|幢|座|室|楼|-)"
    r"(?:[0-9A-Za-z一二三四五六七八九十东南西北甲乙丙-]{1,8}(?:号楼|号|號|栋|棟|幢|单元|單元|室|楼|樓|层"
    r"|座|户)|[一-鿿]{2,8}(?:大厦|广场|小区|花园|公寓|大廈|花園)){0,5}+(?:\d{2,5}(?!\d))?"
)
_ADDRESS_STOP = re.compile(
    r"(?:住在|住址|地址|家住|位于|位於|寄到|寄给|寄至|寄|送到|送至|搬到|搬去|搬家到|改成|改为|住|是|在|到|去|为|至)"
)
_ADMIN = re.compile(r"[省市区區县縣镇鎮]")
_ADDRESS_CUE = re.compile(
    r"(?:(?:家庭|通讯|通訊|联系|聯絡|收件|邮寄|寄送|账单|帳單|居住|常住)?(?:地址|住址)[ ]?(?:改?[是为為成]|:)[ ]?"
    r"|(?:我住在?|家住|寄到|寄送至|快递到|邮寄到|住在))(?P<value>[一-鿿0-9A-Za-z#-]{5,50}+)"
)
_HOUSE = re.compile(r"\d{1,5}[ ]?(?:号|號|弄|栋|棟|幢|座|室|单元|單元|楼|樓)")
_EN_STREET = (
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Square|Terrace|Crescent|Close"
    r"|Way|Place|Gardens)"
)
_EN_ADDRESS = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:Flat|Apt|Apartment|Room|Unit|Suite|Building|Floor|Block)\.? ?[A-Za-z0-9-]{1,6},? ){0,3}"
    rf"(?:No\.? ?)?\d{{1,5}}[A-Za-z]?,? (?:[A-Z][A-Za-z']{{1,20}} ){{1,4}}{_EN_STREET}(?![A-Za-z])\.?"
    r"(?:,? (?:Flat|Apt|Apartment|Room|Unit"
    r"|Suite)\.? ?[A-Za-z0-9-]{1,6})?(?:, [A-Z][A-Za-z]{1,20}(?![A-Za-z0-9])(?: [A-Z][A-Za-z]{1,20}(?![A-Z"
    r"a-z0-9])){0,2}){0,3}(?:,? [A-Z0-9]{2,4} ?\d[A-Z0-9]{2}(?![A-Za-z0-9])|,? \d{5,6}(?!\d))?"
)


def _is_secret(value: str, linked: bool) -> bool:
    """Whether a printable token after a password cue is the password rather than the next word of the sentence."""
    if _WORDS_NOT_SECRET.fullmatch(value.lower()) or ("@" in value[1:-1] and "." in value[value.rfind("@") :]):
        return False
    if value.isdigit():
        return False  # the digit patterns decide, which look at units
    if any(c.isdigit() for c in value):
        return re.match(r"\d+(?:[.,]\d+)*%?$|\d+(?:st|nd|rd|th|k|x|am|pm|h)$", value, re.IGNORECASE) is None
    return linked and len(value) >= 4 and (not value.islower() or len(value) >= 5)


def _tokens(view: str) -> Iterator[Candidate]:
    """Printable tokens right after a cue, and those with letters and digits after a linking word in its sentence."""
    for match in _DIRECT.finditer(view):
        value = match["value"].rstrip(".,;:)")
        linked = bool(match["link"].strip(" \"'“”‘’「」"))
        if len(value) >= 3 and _is_secret(value.rstrip("?!"), linked):
            yield Candidate(Kind.SECRET, match.start("value"), match.start("value") + len(value))
    cues = [cue.end() for cue in _CUE_ALONE.finditer(view)]
    for match in _LINKED_VALUE.finditer(view) if cues else ():
        nearest = bisect_right(cues, match.start()) - 1
        if nearest < 0 or match.start() - cues[nearest] > _WINDOW:
            continue
        value = match["value"].rstrip(".,;:)")
        varied = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
        same_sentence = _SENTENCE_END.search(view, cues[nearest], match.start()) is None
        if varied and same_sentence and len(value) >= 4 and _is_secret(value, linked=True):
            yield Candidate(Kind.SECRET, match.start("value"), match.start("value") + len(value))


def secrets(view: str) -> Iterator[Candidate]:
    """Values of passwords, PINs, card security codes and one-time codes in a matching view."""
    yield from _tokens(view)
    for pattern in (_DIRECT_DIGITS, _CODE_LATER, _REVERSED, _PLAIN_CODE, _BACK_DIGITS):
        for match in pattern.finditer(view):
            group = match.lastgroup or "value"
            yield Candidate(Kind.SECRET, *match.span(group))


def _addresses(view: str) -> Iterator[Candidate]:
    for match in _ROAD_TAIL.finditer(view):
        left = match.start()
        while left > 0 and match.start() - left < 30 and ("一" <= view[left - 1] <= "鿿" or view[left - 1].isalnum()):
            left -= 1
        stops = [stop.end() + left for stop in _ADDRESS_STOP.finditer(view[left : match.start()])]
        start = next((stop for stop in reversed(stops) if match.start() - stop >= 1), left)
        number = re.search(r"\d+", match.group())
        long = match.group().count("号") + len(re.findall(r"[室栋幢弄楼]", match.group())) > 1
        if start != left or long or _ADMIN.search(view[start : match.start()]) or (number and int(number.group()) > 31):
            yield Candidate(Kind.ADDRESS, start, match.end())
    for match in _ADDRESS_CUE.finditer(view):
        house = list(_HOUSE.finditer(match["value"]))
        if house:
            yield Candidate(Kind.ADDRESS, match.start("value"), match.start("value") + house[-1].end())
    for match in _EN_ADDRESS.finditer(view):
        yield Candidate(Kind.ADDRESS, *match.span())


def _cued(view: str) -> Iterator[Candidate]:
    cued = (
        (Kind.ACCOUNT_NUMBER, _ACCOUNT),
        (Kind.ID_NUMBER, _IDENTITY),
        (Kind.PASSPORT, _PASSPORT),
        (Kind.PHONE, _PHONE),
        (Kind.PLATE_NUMBER, _PLATE),
        (Kind.BIRTH_DATE, _BIRTH),
    )
    for kind, pattern in cued:
        for match in pattern.finditer(view):
            yield Candidate(kind, *match.span(match.lastgroup or "value"))


def candidates(view: str) -> Iterator[Candidate]:
    """Spans that their words give away, in a matching view with spoken digits, in no order; they may overlap."""
    yield from secrets(view)
    yield from _cued(view)
    yield from _addresses(view)
    for mention in people.mentions(view):
        if mention.rule is people.PersonRule.INTRODUCED:
            yield Candidate(Kind.PERSON, mention.start, mention.end)
