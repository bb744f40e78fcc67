"""What is worth having as sound: the same pieces that a reply is spoken in, openings first."""

from openteller.assistant.answering import Shelf
from openteller.assistant.spoken import said_ahead
from openteller.knowledge.records import Document
from openteller.products.names import ProductNames
from openteller.runtime.protocols import Audio
from openteller.voice.listening import AtOnce
from openteller.voice.mouth import Mouth
from openteller.voice.replying import Replying

BANK = {"zh": "松湾银行", "en": "Pinebay Bank"}
ANSWER = "普卡年费120.00元，金卡年费600.00元，首年免收，刷满六笔免次年年费。未激活不收。"


def _document(**fields: object) -> Document:
    return Document.model_validate(
        {"document_id": "a.zh", "group_id": "a", "title": "年费", "language": "zh", "answer": ANSWER} | fields
    )


class Voice:
    """Remembers what it is asked to say."""

    rate = 8_000

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def say(self, spoken: str, language: str, *, speed: float = 1.0, keep: bool = False) -> Audio:
        import numpy as np

        self.said.append((spoken, language))
        return Audio(np.zeros(8, np.float32), self.rate)


def test_openings_come_first_and_are_the_pieces_of_a_reply() -> None:
    shelf = Shelf({}, ProductNames([]))
    free = _document(document_id="b.zh", group_id="b", answer=None, body="随存随取的账户。按季结息。")
    sentences, openings = said_ahead([_document(), free], shelf, BANK)
    first, rest = sentences[:openings], sentences[openings:]
    voice = Voice()
    replying = Replying(voice, Mouth(8_000), AtOnce(), lambda _: None, lambda _: "")
    replying.begin()
    replying.add(ANSWER, "zh")
    replying.close()
    assert voice.said[0] == ("普卡年费一百二十元", "zh") == first[-2]
    assert first[-1][0].startswith("随存随取的账户")
    assert [piece for piece in voice.said[1:]] == rest
    assert not any("按季结息" in spoken for spoken, _ in sentences)
    assert len(sentences) == len(set(sentences))
    assert any("人工智能" in spoken for spoken, _ in first)
    assert any("Pinebay Bank" in spoken for spoken, _ in first)
