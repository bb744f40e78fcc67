"""Local accounts: add a user, check a password.

Passwords are hashed with argon2id at the OWASP minimum (19 MiB, 2 passes, 1 lane; Password Storage Cheat Sheet, 2024).
A wrong name costs the same work and gets the same words as a wrong password, so that neither tells who has a login.
At most `_CONCURRENT` hashes run at a time: a flood of logins must not take the machine's memory.

What is not covered: second factors, lock-out over several servers, password history. A bank with those logs in through
its own OIDC provider (serving/security.py). Knows nothing about tokens.
"""

import secrets
import unicodedata
from collections.abc import Sequence
from functools import cached_property
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import ValidationError

from openteller.core.errors import BadInput, NotAllowed, NotAuthenticated, NotFound, TooLarge
from openteller.core.records import Principal, Role
from openteller.core.text import normalise
from openteller.identity.records import Credential, User
from openteller.identity.repository import UserRepository
from openteller.store import audit
from openteller.store.database import Database

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 256
_CONCURRENT = 4
_SERVICE = Principal(subject="accounts", role=Role.SERVICE)


class Accounts:
    """The local logins of one installation.

    Args:
        database: where the users are.
        hasher: argon2 parameters; None: argon2id with 19 MiB, 2 passes, 1 lane.
    """

    def __init__(self, database: Database, hasher: PasswordHasher | None = None) -> None:
        self._database = database
        self._hasher = hasher or PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._users = UserRepository()
        self._slots = BoundedSemaphore(_CONCURRENT)
        self._checked: dict[tuple[str, str], bool] = {}

    def add_user(
        self, username: str, password: str, role: Role | str, customer_id: str | None = None, *, by: str = "accounts"
    ) -> User:
        """Add a login; `by` is who does it, for the audit log.

        Raises:
            BadInput: the name, role or customer does not fit, or the password is too short.
            TooLarge: the password is over 256 characters.
            Conflict: the name is taken.
        """
        user = _user(username, role, customer_id)
        credential = Credential(user=user, password_hash=self._hash(_acceptable(password)))
        with self._database.session(_SERVICE) as session:
            self._users.insert(session, credential)
            detail = {"role": user.role.value, "customer_id": user.customer_id}
            audit.record(session, by, "user.added", user.username, detail)
        return user

    def set_password(self, username: str, password: str, *, by: str = "accounts") -> None:
        """Give a login a new password.

        Raises:
            BadInput: the password is too short.
            TooLarge: the password is over 256 characters.
            NotFound: there is no such login.
        """
        password_hash = self._hash(_acceptable(password))
        with self._database.session(_SERVICE) as session:
            found = self._users.credential(session, normalise(username))
            if found is None:
                raise NotFound("There is no such user.", next_step="Add the user first.")
            self._users.replace(session, found.model_copy(update={"password_hash": password_hash}))
            audit.record(session, by, "user.password_changed", found.user.username, {})

    def disable(self, username: str, *, by: str = "accounts") -> None:
        """Let a login in no more. Tokens it holds run until they expire.

        Raises:
            NotFound: there is no such login.
        """
        with self._database.session(_SERVICE) as session:
            found = self._users.credential(session, normalise(username))
            if found is None:
                raise NotFound("There is no such user.", next_step="Check the name.")
            user = found.user.model_copy(update={"disabled": True})
            self._users.replace(session, found.model_copy(update={"user": user}))
            audit.record(session, by, "user.disabled", user.username, {})

    def authenticate(self, username: str, password: str) -> Principal:
        """Who logs in with this name and password.

        Raises:
            NotAuthenticated: no such name or a wrong password; the words and the work are the same for both.
            NotAllowed: name and password are right and the login is disabled.
        """
        with self._database.session(None) as session:
            found = self._users.credential(session, normalise(username)[:64])
        right = self._verify(found.password_hash if found else self._decoy, password)
        if found is None or not right:
            raise NotAuthenticated(
                "The user name or the password is wrong.",
                next_step="Try again, or ask the bank to set a new password.",
            )
        if found.user.disabled:
            raise NotAllowed("This login is disabled.", next_step="Ask an administrator to enable it.")
        self._after_login(found, password)
        return found.user.principal

    def is_open(self, principal: Principal) -> bool:
        """Whether a login of the bank's staff still stands, with the role that it had when it was let in."""
        with self._database.session(None) as session:
            found = self._users.credential(session, principal.subject)
        return found is not None and not found.user.disabled and found.user.principal == principal

    def sharing_password(self, password: str, limit: int = 24) -> Sequence[User]:
        """Of the first `limit` enabled logins those whose password is this one: the demo bank's, in dev mode.

        Each hash is checked once for a password and remembered.
        """
        with self._database.session(_SERVICE) as session:
            credentials = self._users.enabled(session, limit)
        for credential in credentials:
            key = (credential.password_hash, password)
            if key not in self._checked:
                self._checked[key] = self._verify(*key)
        return [c.user for c in credentials if self._checked[(c.password_hash, password)]]

    def _after_login(self, found: Credential, password: str) -> None:
        with self._database.session(_SERVICE) as session:
            if self._hasher.check_needs_rehash(found.password_hash):
                renewed = self._hash(_bytes(password))
                self._users.replace(session, found.model_copy(update={"password_hash": renewed}))
            audit.record(session, found.user.principal.subject, "user.logged_in", found.user.username, {})

    @cached_property
    def _decoy(self) -> str:
        """A hash that no password has, checked when the name is unknown."""
        return self._hash(secrets.token_bytes(32))

    def _hash(self, password: bytes) -> str:
        with self._slots:
            return self._hasher.hash(password)

    def _verify(self, password_hash: str, password: str) -> bool:
        with self._slots:
            try:
                return self._hasher.verify(password_hash, _bytes(password)[: 4 * LONGEST_PASSWORD])
            except (VerificationError, InvalidHashError):
                return False


def _user(username: str, role: Role | str, customer_id: str | None) -> User:
    try:
        return User(username=normalise(username), role=Role(role), customer_id=customer_id)
    except (ValidationError, ValueError) as error:
        raise BadInput(
            "The user cannot be added.",
            cause="A name has 1 to 64 letters, digits or . @ + - _, the role is customer, agent, analyst, admin or "
            "service, and customer_id goes with the role customer only.",
            next_step="Correct the name, the role or the customer.",
        ) from error


def _acceptable(password: str) -> bytes:
    if len(password) > LONGEST_PASSWORD:
        raise TooLarge(f"The password is over {LONGEST_PASSWORD} characters.", next_step="Choose a shorter one.")
    if len(password) < SHORTEST_PASSWORD:
        raise BadInput(f"The password is under {SHORTEST_PASSWORD} characters.", next_step="Choose a longer one.")
    return _bytes(password)


def _bytes(password: str) -> bytes:
    # NFKC, so that one password typed on two keyboards is one; not trimmed, since spaces may be meant.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
