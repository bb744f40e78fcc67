"""Recorded speech for tests, and what is said in it."""

from pathlib import Path

EN_FILE = Path(__file__).with_name("en-block-books.ogg")
ZH_FILE = Path(__file__).with_name("zh-lost-card.ogg")
EN_SAID = "produced the block books which were the immediate predecessors of the true printed book"
ZH_SAID = "我的银行卡丢了应该怎么办理挂失"
