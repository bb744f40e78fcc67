"""The record of a login. Knows nothing about passwords: a hash never leaves the repository's neighbour, accounts.py."""

from pydantic import Field, model_validator

from openteller.core.records import Principal, Record, Role


class User(Record):
    """A login of a person or of a service.

    A customer's login names the customer whose data it may read; a login of the bank's staff names none.
    """

    username: str = Field(pattern=r"^[\w.@+-]{1,64}$")
    role: Role
    customer_id: str | None = None
    disabled: bool = False

    @model_validator(mode="after")
    def _customer_belongs_to_customers(self) -> "User":
        if self.role is Role.VISITOR:
            raise ValueError("a visitor has no login")
        if (self.role is Role.CUSTOMER) != bool(self.customer_id):
            raise ValueError("customer_id is given for the role customer, and for no other")
        return self

    @property
    def principal(self) -> Principal:
        """On whose behalf this login acts. A customer's subject is the customer id, as in the rows they own."""
        return Principal(subject=self.customer_id or self.username, role=self.role, customer_id=self.customer_id)


class Credential(Record):
    """A login with its argon2 hash (PHC string). Never logged, never sent."""

    user: User
    password_hash: str = Field(repr=False)
