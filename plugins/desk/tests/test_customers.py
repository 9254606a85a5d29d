"""Who the customers are."""

import pytest

from channelry_desk.errors import IncompleteError, NotFoundError
from channelry_desk.grants import SYSTEM

from .conftest import House

pytestmark = pytest.mark.anyio


@pytest.mark.row("A32")
async def test_a_customer_needs_a_name_and_an_email_or_a_phone(house: House) -> None:
    service = house.desk.service
    with pytest.raises(IncompleteError, match="e-mail address or a phone number"):
        await service.customers.create(by=SYSTEM, first_name="Eve", last_name="Ng", company="ACME")
    with pytest.raises(IncompleteError, match="first name and a last name"):
        await service.customers.create(by=SYSTEM, first_name="Eve", last_name=" ", phone="1")
    made = await service.customers.create(by=SYSTEM, first_name="Eve", last_name="Ng", phone="1", company="ACME")
    assert (made.phone, made.company, made.email) == ("1", "ACME", "")


@pytest.mark.row("A33")
async def test_creating_relates_at_once(house: House) -> None:
    service, number = house.desk.service, await house.written("eve")
    profile = (await house.read(number)).profile
    await service.customers.create(by=SYSTEM, first_name="Eve", last_name="Ng", phone="1", profile=profile)
    assert (await house.read(number)).recognized


async def test_a_profile_or_a_customer_that_is_not_there_is_not_found(house: House) -> None:
    with pytest.raises(NotFoundError):
        await house.desk.service.customers.relate(by=SYSTEM, profile=9, customer=9)
