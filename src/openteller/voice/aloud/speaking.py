"""The road from written to spoken: marks off, figures into words, pauses tidied. Knows no rule of either language."""

from openteller.core.errors import BadInput
from openteller.voice.aloud import en, zh
from openteller.voice.aloud.marks import bare, tidy

_FIGURES = {"zh": zh.figures, "en": en.figures}


def aloud(text: str, language: str) -> str:
    """`text` as a person would read it out: no digit, currency or percent sign, markup or emoji is left.

    Words of the other language stay as they are written. Text that is already spoken comes back unchanged. A text
    with nothing to say gives the empty string.

    Args:
        text: any text; several lines are read as several sentences.
        language: zh or en, the language that numbers are read in.

    Raises:
        BadInput: another language.
    """
    if language not in _FIGURES:
        raise BadInput(f"No text is read aloud in {language!r}.", next_step="Ask for zh or en.")
    return tidy(_FIGURES[language](bare(text)), language)
