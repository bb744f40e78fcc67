"""How long the steps of a spoken turn took. Knows nothing about what happened in them."""

from dataclasses import dataclass


@dataclass
class Clock:
    """When the steps of the present turn happened, in seconds of `now`."""

    spoken: float = 0.0  # the customer's last sound
    heard: float = 0.0
    over: float = 0.0
    answered: float = 0.0
    trace: str = ""


def stages(clock: Clock, now: float) -> dict[str, float]:
    """Seconds of each stage of a turn, and from the customer's last sound to our first."""
    over = clock.over or clock.heard
    found = {
        "hear": clock.heard - clock.spoken,
        "turn": over - clock.spoken,
        "answer": clock.answered - max(over, clock.heard),
        "speak": now - clock.answered,
        "first_audio": now - clock.spoken,
    }
    return {name: round(max(0.0, seconds), 3) for name, seconds in found.items()}
