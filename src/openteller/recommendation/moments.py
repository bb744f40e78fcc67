"""The moment in which nobody has asked anything: for offers on a page, in a branch or in a batch."""

from openteller.core.records import IntentPrediction, Language, Scored, Sentiment, Understanding


def unasked(language: Language = Language.ZH_HANS) -> Understanding:
    """An understanding in which there is nothing to understand: no need, no mood, no intent."""
    return Understanding(
        language=Scored(label=language.value, probability=1),
        intent=IntentPrediction(label="none", probability=0),
        sentiment=Sentiment(label="neutral", probability=1, score=0),
        needs=(),
        entities=(),
        personal_data=(),
        risk_flags=(),
    )
