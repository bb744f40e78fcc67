"""What a recogniser heard, written as a bank writes it: figures for spoken numbers. Knows no recogniser and no intent."""

from openteller.core.errors import BadInput
from openteller.voice.inverse import en, zh

__all__ = ["written"]

_FIGURES = {"zh": zh.figures, "en": en.figures}


def written(text: str, language: str) -> str:
    """`text` with spoken amounts, rates, dates, phone and card numbers in figures; ordinary words stay.

    三千五百二十块五毛 is 3520.5元, 幺三八零零一三八零零零 is 13800138000, "five point two five percent" is 5.25%. What is already
    written in figures stays, mixed forms (3千5, 5 thousand dollars) are finished. Script is not changed.

    Args:
        text: a recogniser's text.
        language: zh or en, the language of its number words.

    Raises:
        BadInput: another language.
    """
    if language not in _FIGURES:
        raise BadInput(f"No numbers are read in {language!r}.", next_step="Ask for zh or en.")
    return _FIGURES[language](text)
