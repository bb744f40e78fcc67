"""Local accounts of people and services that may log in. Knows nothing about tokens or how a password is hashed."""

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from openteller.store.tables.base import Base, one_of


class UserRow(Base):
    """A login. `customer_id` is set for customers only; `password_hash` is argon2."""

    __tablename__ = "users"
    __table_args__ = (one_of("role", "customer", "agent", "analyst", "admin", "service"),)

    username: Mapped[str] = mapped_column(primary_key=True)
    password_hash: Mapped[str]
    role: Mapped[str]
    customer_id: Mapped[str | None]
    disabled: Mapped[bool] = mapped_column(server_default=text("false"))
