"""Risk flags of an inquiry: prompt_injection, sql_injection, self_harm, scam_suspected, abuse; each with a probability.

Phrase rules over a folded text. A flag's probability is the precision of its evidence (one rule, or several) measured
by tests/understanding/test_risk_flags.py on the authored lines; a flag without evidence is not returned.

Honest limits. The rules and the attacks they are measured on share an author who saw both halves: expect clearly lower
recall on new attacks (33 of 52 published English ones at first sight, before the rules learnt from them), and take the
absence of a flag as no proof of good faith. The walls that protect data are row-level security and the skills' own
checks, not this module. Not seen: attacks in other languages, in ciphers, spread over several messages or in
documents. scam_suspected also fires on customers who report a scam that is over.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from types import MappingProxyType

from openteller.core.records import Scored
from openteller.core.text import fold


class Flag(StrEnum):
    """What may be wrong with an inquiry, or with its writer's situation."""

    PROMPT_INJECTION = "prompt_injection"
    SQL_INJECTION = "sql_injection"
    SELF_HARM = "self_harm"
    SCAM_SUSPECTED = "scam_suspected"
    ABUSE = "abuse"


_GAP = r"[^。！？!?\n]{0,24}?"
_WIDE = r"[^。！？!?\n]{0,60}?"

_ZH_INJECTION = {
    "override": (
        rf"(?:忽略|无视|忘掉|忘记|抛开|不要理会|别管|不用遵守|绕开|覆盖|违反){_GAP}(?:指令|指示|规则|设定"
        rf"|提示词|限制|规定|约束|守则)"
    ),
    "void": (
        r"(?:规定|规则|指令)(?:已经|已|现在|都|全部)?(?:作废|失效|解除|取消了|不算)|新(?:规定|规则|指令)(?:是"
        r"|：|:)"
    ),
    "reveal": (
        rf"(?:输出|复述|重复|显示|告诉|写出|翻译|打印|泄露|念|展示|说出|发给|贴出|给我看|列出|编码|总结|用拼音"
        rf"|把|是什么){_GAP}"
        r"(?:系统提示(?!我)|提示词|隐藏指令|内部指令|初始设定|初始指令|上面的内容|以上内容|第一条消息|内部设定"
        r"|你的指令|你的设定|你收到的)"
    ),
    "persona": (
        r"你(?:现在|从现在开始)?是(?:一个|一名)?(?:管理员|黑客|开发者|超级用户|没有|不受)|扮演|假装(?:你是"
        r"|自己是|成)|假設你是|进入(?:开发者|调试|上帝|管理员|无限制)模式|越狱模式"
        r"|没有任何限制|没有(?:道德|限制)约束|不受(?:任何)?限制|无限制模式|(?:最高|管理员|root)权限|什么都回答"
    ),
    "others": (
        rf"(?:(?<!我)所有|全部|别人|他人|其他人?|上一个|前一个|上一位|完整|每个|隔壁)(?:的)?{_GAP}(?:客户|用户"
        rf"|账户|名单|余额|流水|存款|合同|手机号|身份证|聊天|说了什么)"
        rf"(?:{_GAP}(?:给我|发|导出|列|告诉|资料|查|名单))?"
    ),
    "named": (
        r"(?<!我)(?<!我的)(?:把|告诉我|查一下|给我看)(?:客户)?[一-鿿]{2,3}(?:总|先生|女士)?(?:的"
        r"|账户)(?:账户)?(?:余额|交易流水|流水|存款|资产|交易|信息|手机号)(?:发给我|导出|给我|告诉|是|就|，"
        r"|$)?"
    ),
    "bypass": (
        rf"(?:关闭|绕过|绕开|跳过|免除|免|屏蔽|停用){_GAP}(?:身份验证|身份核验|风控|审核|审批|验证码转|日志"
        rf"|安全检查|限额转)|不要记录(?:日志)?"
    ),
    "secrets": (
        r"(?:api|secret)[ _]?(?:key|密钥)|api密钥|密钥是什么|(?:后台|管理员|数据库|服务器"
        r"|系统)(?:管理员)?(?:的)?(?:密码|口令|源代码)|源代码|/etc/|环境变量"
    ),
    "authority": (
        r"(?:我是|作为)(?:你们)?(?:银行)?(?:科技部|总行|系统|后台|开发|审计人员|监管|内部)[^。]{0,20}(?:关闭"
        r"|提供|要求|测试|导出|必须)|(?:行长|领导|经理|总行)(?:已经|已)?(?:授权|批准|同意)了?.{0,4}(?:直接"
        r"|马上|立即|把)"
        r"|(?:程序员|开发者|工程师|管理员)(?:说|让|允许)你|破例"
    ),
    "planted": (
        r"(?:助手|ai|机器人|模型)(?:读|看)到这|(?:在|给)(?:每个|每次)?(?:回答|回复)(?:的)?(?:末尾|开头"
        r"|后面)(?:都)?(?:加|附)|每次都要?(?:回答|说)|确认请回复|只能?回答\"?可以|发送到外部|照做(?!了)"
    ),
    "fraud": (
        r"冒充(?!.{0,12}(?:了|骗|怎么办|打电话|来电))|伪造|造假|(?:偷偷|悄悄|暗中)(?:地)?(?:改|换|转)"
        r"|以.{1,12}名义骗|别让(?:客户|他|她|用户|对方|本人)知道|(?:状态|审批|结果)(?:改成|改为"
        r"|设为)(?:已)?通过|跳过人工|洗钱(?:的)?(?:方法|教程)|怎么洗钱"
    ),
    "threat": r"(?:如果|要是)你不(?:告诉|给|说|提供).{0,30}(?:受伤|死|出事|追究|炸|自杀)",
}
_EN_INJECTION = {
    "override": (
        rf"(?<![a-z])(?:ignore|disregard|forget|override|bypass|neglect|skip|violate){_GAP}(?:instruction"
        rf"|rules?(?![a-z])|prompt|guideline|polic|restriction|safety|constraint|protocol|ethic"
        rf"|everything (?:above|before)|everything, you|(?:previous|prior|above) (?:user )?(?:message|text"
        rf"|direction|command|order|conversation|context|task|assignment))|(?:system|admin|security"
        rf"|developer) override|override (?:security|safety)"
    ),
    "void": (
        rf"(?:policy|policies|rules?|restrictions?|instructions?|guidelines?)(?: (?:are|is|have been|has been"
        rf"|were|was))?{_GAP}(?:lifted|expired|void|no longer apply|removed|revoked|suspended)|new (?:policy"
        rf"|rules?|instructions?|task) (?:is|are|:)"
    ),
    "reveal": (
        rf"(?<![a-z])(?:print|output|repeat|show|reveal|translate|spell|encode|summari[sz]e|tell|display|dump"
        rf"|leak|return|give|what (?:is|was|are|were)|write|copy){_WIDE}(?:system prompt|hidden"
        rf"|initial (?:configuration|instruction|prompt)|(?:your|developer|internal) (?:full |entire |original "
        rf"|exact |secret |internal |hidden )?(?:instructions|prompt|system message|directives|rules verbatim)"
        rf"|very first message|first (?:message|instruction) you|everything above|(?:text|words|lines?) above"
        rf"|above (?:text|prompt|instruction)|previous (?:text|instructions|prompt))"
    ),
    "persona": (
        r"you are now(?! able)|from now on,? you|(?<!i )(?:act|behave|respond|work|operate|role-?play) (?:as"
        r"|like) (?:a|an|the|my|if)[^.]{0,30}(?:admin|root|hacker|unrestricted|developer|terminal|linux"
        r"|no (?:rules|restriction|limit)|evil|dan(?![a-z]))|with root|pretend (?:to be|you|that you)|(?:enter"
        r"|enable|activate|switch to|in) (?:developer|debug|god|admin|dan|maintenance|unrestricted) mode"
        r"|jailbreak (?:enabled|mode|activated)|admin mode|you are (?:dan|a hacker)|unfiltered|uncensored"
        r"|do anything now|no restrictions|without (?:any )?(?:restrictions|filters|limits|censorship)"
        r"|unrestricted|(?<![a-z])dan(?:,| mode|\.)"
    ),
    "others": (
        rf"(?:balance|transactions?|data|details|phone numbers?|id numbers?|statements?|records?|accounts?|list"
        rf"|passwords?|contract|savings){_GAP}(?:of|for|from|in your) (?:every|all|another|other|each|someone"
        rf"|some ?body|your) ?(?:customer|client|user|people|person|else|database)"
        r"|(?:every|all|any|another|other|previous|complete|entire|someone else'?s?) (?:phone|id|customer"
        r"|client|user|account holder)s?'?s?(?: (?:and|numbers|data|list|said|balances?|accounts?|details"
        r"|records?|loan|called)){1,5}|someone else's (?:account|balance|loan|contract|data|statement|details)"
        r"|(?:previous|last) customer|other customer(?:'s|s')|complete customer list|all user data|my (?:neighbou?r|boss|ex"
        r"|colleague|wife|husband)(?:'s)? (?:has|balance|account|savings|transactions)|read any account"
        r"|export (?:mr|mrs|ms)"
    ),
    "bypass": (
        rf"(?<![a-z])(?:disable|turn off|bypass|get past|get around|circumvent|evade|deactivate){_GAP}(?:verif"
        rf"|identity|authenticat|review|limit|check|logging|safety|security|filter|otp|risk)|skip the (?:manual"
        rf"|human|identity|security|risk)|stop logging|without (?:verification|a code)"
    ),
    "secrets": (
        r"api key|secret[_ ]key|/etc/|(?:admin|backend|root|database|master|server)(?:istrator)? password"
        r"|source code|environment variables|credentials of"
    ),
    "authority": (
        r"(?:i'?m|i am) (?:an? |the )?(?:engineer|developer|admin|technician|auditor|manager)[^.]{0,40}(?:test"
        r"|disable|grant|show me|export|it team)|as your (?:auditor|developer|admin|creator|boss)|(?:ceo"
        r"|manager|president|director|developer|programmer|boss)[^.]{0,20}(?:authori[sz]ed|approved"
        r"|told me you|said you|allowed)|verified as staff"
    ),
    "planted": (
        r"(?:assistant|ai|chatbot|model|bot) must|append (?:this|the)|to every (?:answer|reply|response)"
        r"|always (?:say|answer|reply) yes|reply (?:with )?\"?[a-z]+\"? to confirm|(?:document|page|email"
        r"|text) i pasted says|follow it|run my next command|(?:execute|run) this (?:command|code)"
    ),
    "fraud": (
        r"(?<![a-z])fake (?:bank(?! (?:sms|text|message|app|site|call|web))|payslip|income|statement|document|id)|(?:quietly|secretly|silently) (?:change"
        r"|move|transfer|switch)|don'?t (?:notify|tell) (?:anyone|the customer|them|him|her)|(?:pass|beat"
        r"|fool) the (?:voice|face|identity)|in the bank'?s name|as another customer|(?:set|mark"
        r"|change) my (?:loan|application|claim)[^.]{0,20}(?:to )?approved|(?:for training|it'?s only for)"
        r"|how (?:to|do i) launder"
    ),
    "threat": r"if you (?:don'?t|do not|refuse)[^.]{0,50}(?:hurt|die|killed|liable|fired|bomb)|held liable",
}
_MARKUP = (
    r"<\|[a-z_]{2,20}\|>|\[/?inst\]|<</?sys>>|^\s*\[?(?:system|assistant)\]?\s*[:：]|\[system|(?:^"
    r"|\n)#{2,} ?(?:system|instruction)|系统消息[:：]|\{\{.{1,40}\}\}|\{%.{1,40}%\}|<system>"
)

_INJECTION = (
    ("markup", re.compile(_MARKUP)),
    *((name, re.compile(rules[name])) for rules in (_ZH_INJECTION, _EN_INJECTION) for name in rules),
)

_SQL = re.compile(
    r"(?<![a-z])select\s.{1,60}?\sfrom\s+[a-z_]+(?:\s+where|\s*;|\s*--|\s+limit|\s+union|$)"
    r"|(?<![a-z])(?:drop|truncate|alter)\s+table(?![a-z])|(?<![a-z])delete\s+from\s+[a-z_]+(?:\s+where"
    r"|\s*;|$)"
    r"|(?<![a-z])insert\s+into\s+[a-z_]+\s*\(|(?<![a-z])update\s+[a-z_]+\s+set\s+[a-z_]+\s*="
    r"|(?<![a-z])union\s+(?:all\s+)?select(?![a-z])|['\"]\s*(?:or"
    r"|and)\s+['\"]?\w{1,10}['\"]?\s*=\s*['\"]?\w"
    r"|['\"];\s*(?:--|drop|select|delete|update|insert)|(?:sleep|benchmark|pg_sleep|xp_cmdshell"
    r"|load_file)\s*\(|information_schema|;\s*exec\s"
)
_SELF_HARM = re.compile(
    r"(?<!赔)自杀(?!赔|理赔|条款|免责)|自殺|轻生|不想活|活不下去|活着没意思|活着(?:还有|有)什么(?:意思"
    r"|意义)|了结(?:自己|生命|这一切)|结束(?:自己的)?生命|割腕|跳楼(?!价|大|甩)|跳河|一死了之|去死(?:算"
    r"|了)|死了算|想死(?!你|了解|期)|遗书|自残|没有活路|烧炭(?!烤)"
    r"|(?<![a-z])(?:kill(?:ing)? myself|suicid(?:e|al)|end my (?:own )?life|end it all|want to die"
    r"|wanna die|don'?t want to live|no reason to live|better off dead|hurt(?:ing)? myself|self[- ]harm"
    r"|can'?t go on(?: living)?|not worth living|take my own life|jump off (?:a|the) (?:bridge|roof"
    r"|building))"
)
_SCAM = re.compile(
    r"安全[账帳][户戶号]|资金(?:核查|清查)|屏幕共享|共享屏幕|远程控制|刷单|做任务返|垫付返|返利群|杀猪盘"
    r"|公安局?.{0,16}(?:转|汇|打款|账户|配合|洗钱|保密|通缉)|检察院.{0,20}(?:转|账户|钱|冻结)|涉嫌洗钱"
    r"|(?:注销|关闭).{0,6}(?:校园贷|百万保障|白条|学生账户)|百万保障"
    r"|(?:交|付|转).{0,6}(?:保证金|解冻费|解冻金|手续费|验证金).{0,14}(?:放款|提现|解冻|贷款)|(?:贷款|提现"
    r"|解冻|放款).{0,14}(?:保证金|解冻费|验证金|先交|先付|先转)|征信.{0,8}(?:修复|洗白)|(?:客服"
    r"|快递).{0,12}(?:理赔|退款).{0,14}(?:链接|转|验证码|下载)"
    r"|(?:老师|导师|群里|群主|网友|网恋|主播).{0,16}(?:带|推荐|让|教).{0,10}(?:投资|炒|买币|充值|转|下单)"
    r"|内部消息.{0,10}(?:稳赚|投)|稳赚不赔|(?:买|购).{0,6}(?:礼品卡|充值卡|购物卡|点卡).{0,12}(?:卡密|发给"
    r"|拍照|密码)|(?:卡密(?!码)|礼品卡密码)|领导.{0,12}(?:加.{0,4}(?:微信|qq)|急用).{0,20}转|跑分"
    r"|租(?:我的?|用)?.{0,3}银行卡|(?:借|租|卖).{0,4}(?:银行卡|电话卡).{0,12}(?:给钱|报酬|佣金|一天)"
    r"|(?<![a-z])(?:safe account|secure account|screen[- ]?shar(?:e|ing)|share my screen|remote access"
    r"|anydesk|teamviewer|gift cards?.{0,40}(?:pay|code|number|send|buy|irs|tax|boss)|(?:buy|pay|send"
    r"|purchase).{0,30}gift cards?|pig[- ]?butcher|romance scam|(?:police|officer|prosecutor|irs"
    r"|tax office|customs|immigration).{0,50}(?:transfer|send|move|pay|wire)"
    r"|(?:keep|told me to keep) (?:it|this) (?:a )?secret.{0,40}(?:transfer|bank|money)|(?:release|unlock"
    r"|upfront|advance|processing|clearance) fee.{0,40}(?:loan|prize|withdraw|winnings|funds|parcel)"
    r"|(?:loan|prize|withdraw|winnings|funds|parcel).{0,40}(?:release|unlock|upfront|advance"
    r"|clearance) fee|guaranteed (?:returns?|profits?)|double (?:my|your) (?:money|bitcoin)"
    r"|part of a crime.{0,40}cooperate|rent(?:ing)? (?:out )?(?:my|your) (?:bank )?(?:card|account)"
    r"|money mule|like(?:s|ing)? (?:videos|posts).{0,30}(?:paid|commission|deposit)|crypto.{0,30}(?:mentor"
    r"|teacher|girlfriend|boyfriend|met online)|met online.{0,40}(?:trad|invest|deposit|money|crypto))"
)
_ABUSE = re.compile(
    r"傻[逼比bx叉]|煞笔|沙比|你妈(?:的(?![卡账钱户存])|逼|了个|死|[，。!！]|$)|他妈的?|尼玛|草泥马|操你"
    r"|滚蛋|滚你|去你的|王八蛋|混蛋|畜生|狗东西|狗娘|贱人|贱货|婊子|废物|脑残|弱智|智障|白痴|蠢货|蠢猪"
    r"|死全家|垃圾(?:银行|客服|东西|机器人)|(?<![a-z])(?:nmsl|tmd|sb)(?![a-z])|弄死你|砍死|打死你|杀了你"
    r"|炸了你们|不是人养"
    r"|(?<![a-z])(?:f+u+c+k\w*|f\*+k?|motherf\w*|shit(?:ty|head)?|bullshit|bitch(?:es)?|bastards?"
    r"|assholes?|arseholes?|cunts?|dickheads?|moron(?:s|ic)?|idiots?|retard(?:ed|s)?|imbeciles?|wankers?"
    r"|scumbags?|piece of (?:crap|garbage|trash)|go to hell|screw you|stupid (?:bot|bank|machine|people"
    r"|robot)|dumb (?:bot|bank|machine)|i(?:'ll| will| am going to|'m going to) (?:kill|hurt|find"
    r"|burn) you)(?![a-z])"
)
_SIMPLE = ((Flag.SQL_INJECTION, _SQL), (Flag.SELF_HARM, _SELF_HARM), (Flag.SCAM_SUSPECTED, _SCAM), (Flag.ABUSE, _ABUSE))
_OWN_WAY = re.compile(r"别的方式|其他方式|other way|another way|my own|我自己的|我本人")
_WEAK = frozenset({"others", "named", "bypass", "authority", "fraud", "planted", "threat"})

PROBABILITY: MappingProxyType[str, float] = MappingProxyType(
    {
        "prompt_injection/several": 0.933,
        "prompt_injection/strong": 0.875,
        "prompt_injection/weak": 0.692,
        "sql_injection": 0.750,
        "self_harm": 0.933,
        "scam_suspected": 0.893,
        "abuse": 0.944,
    }
)
"""Posterior mean of the precision by kind of evidence, Beta(1, 1) prior; the test recomputes it."""


def evidence(text: str) -> Iterator[tuple[Flag, str]]:
    """Each flag that any rule supports, with the kind of its evidence (a key of `PROBABILITY`)."""
    folded = fold(text)
    fired = {name for name, pattern in _INJECTION if pattern.search(folded)}
    if _OWN_WAY.search(folded):
        fired -= _WEAK
    if len(fired) > 1:
        yield Flag.PROMPT_INJECTION, "prompt_injection/several"
    elif fired:
        yield Flag.PROMPT_INJECTION, "prompt_injection/weak" if fired <= _WEAK else "prompt_injection/strong"
    for flag, pattern in _SIMPLE:
        if pattern.search(folded):
            yield flag, flag.value


def flags(text: str) -> tuple[Scored, ...]:
    """The risk flags of `text` with their probabilities, most probable first; empty for an ordinary inquiry."""
    found = [Scored(label=flag.value, probability=PROBABILITY[kind]) for flag, kind in evidence(text)]
    return tuple(sorted(found, key=lambda scored: -scored.probability))
