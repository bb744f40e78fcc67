"""What the assistant may say to anybody, as the voice will say it: every sentence of approved text, the openings first.

The openings matter most: a caller waits for the first sound, and the second sentence is made while the first is played. Knows
nothing about sound.
"""

from collections.abc import Iterable

from openteller.assistant.answering import Shelf, readable_answer
from openteller.assistant.wording import stock
from openteller.knowledge.records import Document
from openteller.voice.replying import pieces
from openteller.voice.speech import Sentence
from openteller.voice.wording import stock as voice_stock


def said_ahead(documents: Iterable[Document], shelf: Shelf, bank: dict[str, str]) -> tuple[list[Sentence], int]:
    """Sentences in spoken words with their language, in the order in which they are worth making.

    Args:
        documents: those that the public may read.
        shelf: the products whose figures stand in them.
        bank: the bank's name by language.

    Returns:
        The voice's own sentences, then the opening of each document, then all else; and how many of these are openings or
        the voice's own.
    """
    own = [piece for text, language in [*voice_stock(bank), *stock(bank)] for piece in _spoken(text, language)]
    openings, others = list[Sentence](), list[Sentence]()
    for document in documents:
        language = document.language or "zh"
        said = _spoken(readable_answer(document, shelf, language), language)
        openings += said[:1]
        # Of a document without an approved answer, any passage may be the reply: only the first is likely.
        others += said[1:] if document.answer else []
    first = dict.fromkeys([*own, *openings])
    return [*first, *(piece for piece in dict.fromkeys(others) if piece not in first)], len(first)


def _spoken(text: str, language: str) -> list[Sentence]:
    return [(aloud, language) for _, aloud in pieces(text, language, opens=True) if aloud]
