"""The users table. Every method works in the caller's transaction; row-level security lets service and admin in.

`credential` alone needs no principal: it goes through the security-definer function `openteller_login`, which finds one
user by exact name. Knows nothing about how a password is hashed.
"""

from collections.abc import Sequence

from sqlalchemy import RowMapping, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from openteller.core.errors import Conflict, NotFound
from openteller.core.records import Role
from openteller.identity.records import Credential, User
from openteller.store.tables import UserRow

_LOGIN = text("SELECT username, password_hash, role, customer_id, disabled FROM openteller_login(:username)")
_COLUMNS = (UserRow.username, UserRow.password_hash, UserRow.role, UserRow.customer_id, UserRow.disabled)


class UserRepository:
    """Logins in the database."""

    def credential(self, session: Session, username: str) -> Credential | None:
        """The login of exactly this name with its hash; None when there is none. Needs no principal."""
        row = session.execute(_LOGIN, {"username": username}).mappings().first()
        return _credential(row) if row else None

    def insert(self, session: Session, credential: Credential) -> None:
        """Store a new login.

        Raises:
            Conflict: the name is taken.
        """
        statement = insert(UserRow).values(_row(credential)).on_conflict_do_nothing().returning(UserRow.username)
        if session.scalar(statement) is None:
            raise Conflict(
                f"The user name {credential.user.username!r} is taken.",
                next_step="Choose another, or change the password of the one that exists.",
            )

    def replace(self, session: Session, credential: Credential) -> None:
        """Store the hash, role, customer and disabled mark of a login that exists.

        Raises:
            NotFound: there is no such login that the session may change.
        """
        name = credential.user.username
        statement = update(UserRow).where(UserRow.username == name).values(_row(credential)).returning(UserRow.username)
        if session.scalar(statement) is None:
            raise NotFound(f"There is no user {name!r}.", next_step="Add the user first.")

    def enabled(self, session: Session, limit: int) -> Sequence[Credential]:
        """The first `limit` logins that are not disabled, by name."""
        query = select(*_COLUMNS).where(~UserRow.disabled).order_by(UserRow.username).limit(limit)
        return [_credential(row) for row in session.execute(query).mappings()]


def _credential(row: RowMapping) -> Credential:
    user = User(
        username=row["username"],
        role=Role(row["role"]),
        customer_id=row["customer_id"],
        disabled=row["disabled"],
    )
    return Credential(user=user, password_hash=row["password_hash"])


def _row(credential: Credential) -> dict[str, object]:
    return {**credential.user.model_dump(mode="json"), "password_hash": credential.password_hash}
