"""Language and mood of a conversation: by what all its messages say, and by whom that was found."""

from typing import Any

import pytest
from attrs import evolve

from channelry.model import Address, Language, Profile, Sentiment
from channelry_desk import phones
from channelry_desk.grants import SYSTEM
from channelry_desk.moments import micros

from .conftest import House, Opening, message

pytestmark = pytest.mark.anyio


def brain(house: House) -> Any:
    return house.hub.instances["enrichment.brain"].plugin


async def written(house: House, *texts: str) -> tuple[str, float | None]:
    """Let Eve write; give the language and the score of her conversation once all is judged."""
    for text in texts:
        await house.deliver(message("eve", text))
    await house.desk.worker.enrichment.step()
    found = await house.read()
    return found.language, found.sentiment


async def languages(house: House) -> dict[str, str]:
    return {one.text: one.language for one in await house.messages()}


@pytest.mark.row("A28")
async def test_the_language_of_a_conversation_is_the_one_that_most_speaks_for(opening: Opening) -> None:
    async with opening(brain={}) as house:
        brain(house).languages = {
            "hallo": Language(code="de", confidence=0.5), "ciao": Language(code="it", confidence=0.7),
            "guten Tag": Language(code="de", confidence=0.6), "?!": None,
        }  # fmt: skip
        assert (await written(house, "hallo"))[0] == "de"
        assert (await written(house, "ciao"))[0] == "it"
        assert (await written(house, "?!"))[0] == "it"
        assert (await written(house, "guten Tag"))[0] == "de"


@pytest.mark.row("A28")
async def test_a_text_is_scored_in_the_language_that_its_conversation_has_by_then(opening: Opening) -> None:
    async with opening(brain={}) as house:
        assert await written(house, "hello") == ("en", 0.25)
        assert await written(house, ":)") == ("en", 1 / 3)
        assert [text.language for text in brain(house).scored] == ["en", "en"]
        assert await languages(house) == {"hello": "en", ":)": ""}


@pytest.mark.row("A28")
async def test_a_text_brings_what_its_customer_wrote_before_on_whatever_channel(opening: Opening) -> None:
    async with opening(brain={}) as house:
        brain(house).languages = {"hallo": Language(code="de", confidence=0.5)}
        await house.deliver(message("eve", "hallo"), message("bob", "hello"))
        await house.deliver(message("eva", "hello"), connection="second")
        third = await house.conversation()
        await house.desk.worker.enrichment.step()
        await written(house, "hallo!")
        assert [dict(text.before) for text in brain(house).asked] == [{}, {}, {}, {"de": 0.5}]
        people = house.desk.service.customers
        eve = await people.create(by=SYSTEM, first_name="Eve", last_name="Ng", email="e@example.org", conversation=1)
        await people.relate(by=SYSTEM, conversation=third, customer=eve.id)
        await written(house, "anything")
        assert dict(brain(house).asked[-1].before) == {"de": 0.5, "en": pytest.approx(1.8)}


@pytest.mark.row("A28")
async def test_a_text_brings_the_locale_the_country_of_a_phone_and_the_languages_of_its_connection(
    opening: Opening,
) -> None:
    async with opening(brain={}) as house:
        post = house.hub.connections["post"]
        post.entry = evolve(post.entry, languages=("de", "en"))
        phone = Profile(address=Address("post", "ann"), aliases=(Address("phone", "41446681800"),), locale="de-CH")
        await house.deliver(message("ann", "hallo", profile=phone))
        await house.deliver(message("bob", "hello"), connection="second")
        await house.desk.worker.enrichment.step()
        asked = [(text.hint, text.country, text.languages) for text in brain(house).asked]
        assert asked == [("de-CH", "CH", ("de", "en")), ("", "", ())]


@pytest.mark.parametrize(
    ("value", "country"),
    [
        ("491701234567", "DE"),
        ("+12125550123", "US"),
        ("+14165550123", "CA"),
        ("+80012345678", ""),
        ("eve", ""),
        ("", ""),
    ],
)
def test_a_phone_number_tells_its_country(value: str, country: str) -> None:
    assert phones.country(value) == country


@pytest.mark.row("D27")
async def test_the_mood_is_that_of_the_last_six_customer_messages_scored_or_not(opening: Opening) -> None:
    async with opening(brain={}) as house:
        brain(house).scores = {f"t{n}": Sentiment(score=-1.0, confidence=1.0) for n in range(7)}
        brain(house).scores |= {"blank 1": None, "blank 2": None, "blank 3": None}
        assert (await written(house, "blank 1"))[1] is None
        assert (await written(house, "t0"))[1] == -0.5
        assert (await written(house, "t1", "t2", "t3", "t4", "t5"))[1] == -6 / 7
        for _ in range(3):  # what we say is not the customer's
            await house.desk.service.conversations.reply(
                by=SYSTEM, conversation=await house.conversation(), text="sorry"
            )
        assert (await written(house, "blank 2", "blank 3"))[1] == -4 / 5


async def test_what_was_found_tells_by_which_provider(opening: Opening) -> None:
    async with opening(brain={}) as house:
        brain(house).scores["hello"] = None
        await written(house, "hello")
        rows = await house.rows("SELECT confidence, language_by, sentiment_by FROM messages")
        assert [tuple(row) for row in rows] == [(0.9, "brain", "")]


async def test_a_period_is_judged_again_and_what_failed_meanwhile_stays(opening: Opening) -> None:
    async with opening(brain={}) as house:
        await written(house, "before")
        await house.clock.advance(3600)
        await written(house, "one", "two")
        enrichment, told = house.desk.worker.enrichment, list[int]()
        now = micros(house.clock.now())
        period = now - 60_000_000, now + 1
        brain(house).asked.clear()
        brain(house).languages = dict.fromkeys(("before", "one", "two"), Language(code="nl", confidence=0.95))
        assert await enrichment.count(*period) == 2
        assert await enrichment.redo(*period, told.append) == 0
        assert told == [2]
        assert [dict(text.before) for text in brain(house).asked] == [{"en": 0.9}] * 2  # not what is judged again
        assert await languages(house) == {"before": "en", "one": "nl", "two": "nl"}
        assert (await house.read()).language == "nl"
        house.hub.instances["enrichment.brain"].state = "opening"
        assert await enrichment.redo(*period, told.append) == 2
        assert await languages(house) == {"before": "en", "one": "nl", "two": "nl"}


async def test_judging_rests_for_the_share_of_time_that_is_configured(opening: Opening) -> None:
    async with opening(brain={}, enrichment_duty=0.25) as house:
        brain(house).pause = lambda: house.clock.advance(3)
        for number in range(32):
            await house.deliver(message("eve", f"text {number}"))
        assert await house.desk.worker.enrichment.step() == 9
