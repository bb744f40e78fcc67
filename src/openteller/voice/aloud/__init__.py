"""Written text made sayable: numbers, money, dates and signs in words, in Chinese and English. Knows no synthesiser."""

from openteller.voice.aloud.pieces import sentences_aloud
from openteller.voice.aloud.speaking import aloud

__all__ = ["aloud", "sentences_aloud"]
