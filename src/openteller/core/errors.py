"""The error family. Every error says what happened, the likely cause and the next step.

OpenTellerError
├── BadInput              the caller sent something we cannot use        (HTTP 422)
│   ├── TooLarge          the input is over a stated limit               (HTTP 413)
│   └── UnreadableFile    a file is damaged, encrypted or of a wrong type (HTTP 422)
├── NotFound              the thing named does not exist for this caller (HTTP 404)
├── Conflict              the thing exists already or has moved on       (HTTP 409)
├── NotAuthenticated      no identity, or one that has expired           (HTTP 401)
├── NotAllowed            an identity without the right                  (HTTP 403)
├── TooManyRequests       a limit per caller was reached                 (HTTP 429)
├── ConfigurationError    the settings cannot work as they stand         (start-up)
├── MissingDependency     an optional extra is not installed             (start-up)
└── Unavailable           a part we depend on does not answer            (HTTP 503)
    └── ModelUnavailable  model weights or an engine cannot be loaded    (HTTP 503)

This module knows nothing about HTTP; serving maps the classes to the codes drawn above.
"""


class OpenTellerError(Exception):
    """An error with a message for a person.

    Args:
        message: what happened, one sentence.
        cause: the likely cause, one sentence; empty when the message says it.
        next_step: what the reader can do now.
    """

    def __init__(self, message: str, *, cause: str = "", next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.next_step = next_step

    def __str__(self) -> str:
        return " ".join(part for part in (self.message, self.cause, self.next_step) if part)


class BadInput(OpenTellerError):
    """The caller sent something that cannot be used."""


class TooLarge(BadInput):
    """The input is over a stated limit."""


class UnreadableFile(BadInput):
    """A file is damaged, encrypted or not of the type it claims."""


class NotFound(OpenTellerError):
    """The thing named does not exist, or not for this caller."""


class Conflict(OpenTellerError):
    """The thing exists already, or has changed since it was read."""


class NotAuthenticated(OpenTellerError):
    """No identity was given, or one that is expired or forged."""


class NotAllowed(OpenTellerError):
    """The identity is known and lacks the right."""


class TooManyRequests(OpenTellerError):
    """A limit per caller was reached."""


class ConfigurationError(OpenTellerError):
    """The settings cannot work as they stand."""


class MissingDependency(OpenTellerError):
    """An optional extra is not installed."""


class Unavailable(OpenTellerError):
    """A part we depend on does not answer."""


class ModelUnavailable(Unavailable):
    """Model weights or an engine cannot be loaded."""
