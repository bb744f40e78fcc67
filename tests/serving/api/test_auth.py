"""Logging in over HTTP."""

import pytest
from fastapi.testclient import TestClient

from openteller.core.records import Role
from openteller.serving.app import create_app
from tests.serving.api.house import DEMO_PASSWORD, PASSWORD, House, bearer, error_of, settings


@pytest.fixture
def logins(house: House) -> House:
    house.accounts.add_user("ann", PASSWORD, Role.CUSTOMER, "C000001")
    house.accounts.add_user("agent.li", PASSWORD, Role.AGENT)
    return house


def test_a_login_gives_a_token_that_works(client: TestClient, logins: House) -> None:
    response = client.post("/v1/auth/login", json={"username": "ann", "password": PASSWORD})
    assert response.status_code == 200
    granted = response.json()
    assert (granted["token_type"], granted["expires_in"]) == ("bearer", 3_600)
    assert (granted["role"], granted["customer_id"]) == ("customer", "C000001")
    assert response.headers["Cache-Control"] == "no-store"
    me = client.get("/v1/auth/me", headers=bearer(granted["access_token"])).json()
    assert me == {"subject": "C000001", "role": "customer", "customer_id": "C000001"}


def test_a_wrong_name_and_a_wrong_password_look_alike(client: TestClient, logins: House) -> None:
    wrong = client.post("/v1/auth/login", json={"username": "ann", "password": "wrong password"})
    unknown = client.post("/v1/auth/login", json={"username": "nobody", "password": PASSWORD})
    assert error_of(wrong, 401, "not_authenticated") == error_of(unknown, 401, "not_authenticated")


def test_a_disabled_login_is_told_so_only_with_the_right_password(client: TestClient, logins: House) -> None:
    logins.accounts.disable("agent.li")
    right = client.post("/v1/auth/login", json={"username": "agent.li", "password": PASSWORD})
    error_of(right, 403, "not_allowed")
    wrong = client.post("/v1/auth/login", json={"username": "agent.li", "password": "wrong password"})
    error_of(wrong, 401, "not_authenticated")


def test_guessing_a_password_is_slowed_down(client: TestClient, logins: House) -> None:
    body = {"username": "ann", "password": "wrong password"}
    statuses = [client.post("/v1/auth/login", json=body).status_code for _ in range(12)]
    assert statuses[:10] == [401] * 10
    assert statuses[-1] == 429
    right = client.post("/v1/auth/login", json={"username": "ann", "password": PASSWORD})
    error_of(right, 429, "too_many_requests")
    other = client.post("/v1/auth/login", json={"username": "agent.li", "password": PASSWORD})
    assert other.status_code == 200


def test_a_visitor_is_nobody(client: TestClient) -> None:
    error_of(client.get("/v1/auth/me"), 401, "not_authenticated")


def test_demo_logins_are_off_outside_dev_mode(client: TestClient, house: House) -> None:
    house.accounts.add_user("demo", DEMO_PASSWORD, Role.AGENT)
    error_of(client.get("/v1/demo/logins"), 404, "not_found")


def test_demo_logins_name_only_those_with_the_demo_password(logins: House) -> None:
    logins.accounts.add_user("li.na", DEMO_PASSWORD, Role.CUSTOMER, "C000002")
    logins.settings = settings(dev=True)
    with TestClient(create_app(logins)) as client:
        offered = client.get("/v1/demo/logins").json()["logins"]
        assert offered == [
            {"username": "li.na", "password": DEMO_PASSWORD, "role": "customer", "customer_id": "C000002"}
        ]
        login = {"username": offered[0]["username"], "password": offered[0]["password"]}
        assert client.post("/v1/auth/login", json=login).status_code == 200
