"""What people say to a bank, the likeliest first: what recognition expects, and what homophones are put right to.

A bank's own products, branches and people come beside these, and for putting right what is said seldom, all the words that its
own documents are written in. Knows no recogniser and no store.
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import takewhile
from threading import Lock

from openteller.core.segmenting import segmenter
from openteller.core.text import normalise

_AGAIN = 60.0  # seconds between two looks for documents that changed
_MOST = 1_000_000  # characters that are read: about a second, and more than enough to know a bank's words
_HAN_WORD = re.compile("[一-鿿]{2,6}")

_ZH = """
账户 余额 转账 信用卡 银行卡 挂失 定期存款 利率 贷款 理财 还款 手续费 账单 密码 限额 大额存单 活期存款 房贷 提前还款 违约金 年费 分期
额度 逾期 网点 汇款 汇率 基金 开户 销户 冻结 国债 结构性存款 存单 到账 跨行转账 最低还款额 手机银行 网上银行 验证码 利息 本金 储蓄卡 借记卡
外汇 保险 积分 征信 取现 征信报告 流水 对账单 身份证 风险评估 柜台 客户经理
"""
_EN = """
account balance, credit card, debit card, transfer, deposit, interest rate, mortgage, loan, overdraft, statement,
direct debit, standing order, time deposit, wealth management, annual fee, exchange rate, PIN, ATM, early repayment, IBAN
"""

BANK_WORDS: tuple[str, ...] = (*_ZH.split(), *(term.strip() for term in _EN.replace("\n", " ").split(",")))


@dataclass(frozen=True)
class Written:
    """Chinese words that stand in the bank's documents, and the text they stand in: what is in there was not misheard."""

    words: frozenset[str] = frozenset()
    text: str = ""


def written_in(texts: Iterable[str]) -> Written:
    """The dictionary words of two to six characters in `texts`, of which so much is read as a second allows."""
    read = 0

    def is_left(text: str) -> bool:
        nonlocal read
        read += len(text)
        return read <= _MOST

    text = "\n".join(takewhile(is_left, map(normalise, texts)))
    # A run of letters is cut without guessing: guessed words would be taken for words of the bank.
    words = {word for word in segmenter().cut(text, HMM=False) if _HAN_WORD.fullmatch(word)}
    return Written(frozenset(word for word in words if segmenter().FREQ.get(word)), text)


class WrittenWords:
    """The words of documents that may change; safe to share between threads.

    Args:
        version: changes with the documents; asked at most once a minute.
        texts: the documents, read when it has changed.
    """

    def __init__(self, version: Callable[[], object], texts: Callable[[], Iterable[str]]) -> None:
        self._version, self._texts = version, texts
        self._lock = Lock()
        self._looked, self._known, self._written = float("-inf"), object(), Written()

    def __call__(self) -> Written:
        """What is written now, or was a minute ago."""
        with self._lock:
            if time.monotonic() - self._looked >= _AGAIN:
                self._looked = time.monotonic()
                version = self._version()
                if version != self._known:
                    self._known, self._written = version, written_in(self._texts())
            return self._written
