"""Names of people in Chinese and English text: introduced, addressed by a title, or named as a payee.

A rule book, not a recogniser: a Chinese name is a listed surname with one or two characters up to a word that may
follow a name; an English name is one to three capitalised words. Names that nothing introduces ("王芳昨天来过",
"Linda called") are not found, and a surname outside the list of about 230 is not seen. Knows nothing about masking.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple


class PersonRule(StrEnum):
    """How a name was recognised; each has its own measured precision."""

    INTRODUCED = "introduced"
    TITLED = "titled"
    FAMILIAR = "familiar"
    COUNTERPARTY = "counterparty"


class PersonMention(NamedTuple):
    """A name in a text: ``start`` and ``end`` are code points of the text."""

    rule: PersonRule
    start: int
    end: int


_COMPOUND = "欧阳|歐陽|司马|司馬|上官|诸葛|諸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|夏侯|端木|轩辕|南宫|长孙|宇文"
_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟"
    "汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪"
    "严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦柳邢岳齐梅莫庄辛祝左涂谷祁耿牟卜路詹关苗凌费纪靳盛童欧甄项曲游阳裴席卫查"
    "屈鲍覃霍翁隋甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边净劳张劉陳楊趙黃吳孫馬羅鄭謝韓馮許鄧蕭呂蘇盧蔣賈葉閻餘鍾"
    "陸顧龍錢湯賀賴龔龐蘭顏嚴溫蘆魯韋畢聶齊莊關費紀"
)
_FAMILIAR_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱林何郭马罗梁宋郑谢韩唐冯董曹邓许沈曾彭吕苏蒋蔡贾丁魏薛叶潘杜姜姚谭張劉陳楊趙吳孫馬"
)
# What may stand right after a name: punctuation, the end, or one of these words' first characters.
_AFTER = r"(?=$|[^一-鿿]|[转轉打汇匯付还還发發的了和跟与與是吗嘛呢在说說想要把借欠这這那先女本给給改人很让帮拍、])"
_GIVEN = r"[一-鿿]{1,2}?"
_NAME = rf"(?:(?:{_COMPOUND})|[{_SURNAMES}]){_GIVEN}{_AFTER}"
_TITLE = (
    "先生|女士|小姐|太太|同学|经理|經理|主管|会计|會計|老师|老師|警官|医生|醫生|律师|律師|师傅|師傅|阿姨|叔叔"
    "|行长|行長|主任|老板|老闆|教授|校长|处长|局长|总(?![是共额结在有之的会不分数体要])"
)
_NOT_NAMES = re.compile(
    r"(?:钱包|方便|安全|高级|高中|万一|金卡|金融|金额|白金|余额|常用|常客|平时|成功|应该|马上|任何|任意|单位|何时|毛病|"
    r"温州|江苏|石家|包括|管理|解决|解释|关系|关于|易方|文件|强制|华人|车贷|房东|房贷|房租|房客|边上|路上|阳光|项目|"
    r"严重|盛夏|广告|金管|江湖|高管|章程|牛人|左右|方式|白领|安卓|安排|安心|任性|费用|查询|查下|查一|管家|单独|包邮|"
    r"全家|房子|车主|黄金|海南|云南|钟点|华为|武汉|兰州|宁波|康复|张三丰的)"
)

_ZH_RULES = (
    (
        PersonRule.INTRODUCED,
        rf"(?:我叫|我的名字叫|我的名字是|我名叫|名叫|本人姓名|姓名|户名|戶名|持卡人|开户人|收款人|收款方|申请人|联系人)"
        rf"(?:的名字|姓名)?[是为為叫]?[ :：]{{0,2}}(?P<name>{_NAME})",
    ),
    (
        PersonRule.INTRODUCED,
        rf"(?:我是|这里是|我系)(?P<name>(?:(?:{_COMPOUND})|[{_SURNAMES}]){_GIVEN})(?=$|[，,。.！!？?、；; ])",
    ),
    (PersonRule.TITLED, rf"(?P<name>(?:{_COMPOUND}|[{_SURNAMES}])[一-鿿]{{0,2}}?(?:{_TITLE}))"),
    (
        PersonRule.FAMILIAR,
        rf"(?P<name>[小老](?:[{_FAMILIAR_SURNAMES}])){_AFTER}",
    ),
    (
        PersonRule.COUNTERPARTY,
        rf"(?:[转轉]给|[转轉]給|打给|匯給|汇给|还给|借给|付给|发给|[给給向跟叫找从]|收到|(?:经理|經理|客服"
        rf"|柜员|顾问|名字|另一个|另一位|记成|改成|成了)[了是]?)(?P<name>{_NAME})",
    ),
)

_WORD = r"[A-Z][a-z]{1,19}"
_FULL = rf"{_WORD}(?:[ -]{_WORD}){{0,2}}"
_NOT_ENGLISH_NAMES = re.compile(
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|Monday|Tuesday|Wednesday"
    r"|Thursday|Friday|Saturday|Sunday|Chinese|English|American|British|Canadian|Australian|Japanese|Korean|Indian"
    r"|German|French|Pinebay|Alipay|Wechat|WeChat|Apple|Google|Visa|Mastercard|Union|Type|Class|Christmas|Easter"
    r"|China|Japan|Singapore|London|Paris|Tokyo|Hong|Beijing|Shanghai|Thailand|Australia|Canada|Germany|France|Spain"
    r"|Europe|Bank|The|This|That|My|Your|It|Is|No|Not|Yes|Please|What|Why|How|When|Where|Who|Can"
    r"|Card|Account|Gold|Platinum|Student|Travel|Spring|New|Singles|Day|Global|Pension|Singapore|Korea|Italy|Dubai"
    r"|Taiwan|Macau|America|Africa|Dad|Mum|Mom|Grandma|Grandpa|Sir|Madam|Face|Touch|Just|Still|Also|Very|So)(?![a-z])"
)
_NOT_AFTER_NAME_IS = (
    r"(?!(?:on|in|at|not|the|a|an|spelled|spelt|wrong|misspelled|different|still|missing|too|written|being"
    r"|also|now|correct)(?![a-z]))"
)

_EN_RULES = (
    (
        PersonRule.INTRODUCED,
        rf"(?i:(?<![a-z])(?:my name is|my name's|name is|account holder:?|cardholder:?|payee:?"
        rf"|account name:?)) (?P<name>{_FULL})",
    ),
    (
        PersonRule.INTRODUCED,
        rf"(?i:(?<![a-z])(?:my name is"
        rf"|my name's)) {_NOT_AFTER_NAME_IS}(?P<name>[a-z]{{2,15}}(?: [a-z]{{2,15}})?)(?=$|[,.;!?])",
    ),
    (
        PersonRule.INTRODUCED,
        rf"(?:^|[,.;!] ?)(?i:hi |hello |hey |good (?:morning|evening|afternoon),? )?(?i:this is|i'm"
        rf"|i am) (?P<name>{_FULL})(?! (?:card|account|bank|loan))",
    ),
    (
        PersonRule.TITLED,
        rf"(?<![A-Za-z])(?P<name>(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Officer|Manager)\.? {_WORD}(?: {_WORD})?)",
    ),
    (
        PersonRule.COUNTERPARTY,
        rf"(?i:(?<![a-z])(?:transfer(?:red)?|send|sent|pay|paid|owe|wire[d]?|lent|lend|money|payment|yuan"
        rf"|dollars|rmb|back))[^.!?\n]{{0,40}}?"
        rf" (?:to|from|for) (?P<name>{_FULL})(?![A-Za-z])(?! (?:Bank|bank|account|card|Branch))",
    ),
    (
        PersonRule.COUNTERPARTY,
        rf"(?:(?<![A-Za-z])(?:pay|owe|told|tell|called|named|payee|wrong|Wrong|adviser|manager|teller|agent"
        rf"|colleague|friend|pay) |给 ?)"
        rf"(?P<name>{_FULL})(?![A-Za-z])(?! (?:Bank|bank|account|card|Branch))",
    ),
)
_RULES = tuple((rule, re.compile(pattern)) for rule, pattern in (*_ZH_RULES, *_EN_RULES))


def mentions(view: str) -> Iterator[PersonMention]:
    """The names in a matching view, in no order; they may overlap.

    Args:
        view: text as `surface.matching_view` returns it.
    """
    for rule, pattern in _RULES:
        for match in pattern.finditer(view):
            name = match.group("name")
            if not _NOT_NAMES.match(name) and not _NOT_ENGLISH_NAMES.match(name):
                yield PersonMention(rule, match.start("name"), match.end("name"))
