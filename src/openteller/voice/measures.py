"""How long the steps of a spoken turn took. Knows nothing about what happened in them."""

from dataclasses import dataclass

STAGES = ("vad", "partial", "hear", "turn", "understand", "answer", "speak", "first_audio")
"""In seconds. vad, hear, turn and first_audio count from the customer's last sound: until the pause was seen, until the final
text was there, until the turn was over, until our first sound. partial: from the turn's first pause to its first text.
understand and answer: from when the turn was over and its text there. speak: from the answer to its sound."""


@dataclass
class Clock:
    """When the steps of the present turn happened, in seconds of `now`; partial is a length."""

    spoken: float = 0.0  # the customer's last sound
    seen: float = 0.0  # the pause after it
    partial: float = 0.0
    heard: float = 0.0
    over: float = 0.0
    understood: float = 0.0
    answered: float = 0.0
    trace: str = ""


def stages(clock: Clock, now: float) -> dict[str, float]:
    """Seconds of each of `STAGES`, rounded to milliseconds; 0 for one that there was not."""
    over = clock.over or clock.heard
    asked = max(over, clock.heard)
    found = {
        "vad": clock.seen - clock.spoken,
        "partial": clock.partial,
        "hear": clock.heard - clock.spoken,
        "turn": over - clock.spoken,
        "understand": clock.understood - asked,
        "answer": clock.answered - asked,
        "speak": now - clock.answered,
        "first_audio": now - clock.spoken,
    }
    return {name: round(max(0.0, found[name]), 3) for name in STAGES}
