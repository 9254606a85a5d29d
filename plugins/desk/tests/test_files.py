"""Files: kept under names of ours, of the type that their bytes show, read by whoever may read their conversation."""

from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest

from channelry.errors import PermanentError
from channelry.model import Address, Kind, Media, MediaLimit, MessageDeleted, Sticker, Surface, Thread
from channelry_desk.errors import IncompleteError, NotFoundError, NotGrantedError
from channelry_desk.folder import UNKNOWN, sniffed
from channelry_desk.grants import SYSTEM, Access, User
from channelry_desk.service.files import Files

from .conftest import START, House, Opening, message

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def files(house: House) -> Files:
    return house.desk.service.files


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


async def whole(house: House, name: str, **by: Any) -> bytes:
    _, content = await files(house).read(name=name, **by)
    return b"".join([piece async for piece in content])


async def worked(house: House) -> None:
    await house.desk.worker.do_errands()
    await house.desk.worker.settle()


@pytest.mark.row("A23")
@pytest.mark.parametrize(
    ("head", "title", "media_type"),
    [(b"\xff\xd8\xff\xe0", "a.jpeg", "image/jpeg"), (PNG, "a.exe", "image/png"),
     (b"%PDF-1.7", "a.pdf", "application/pdf"),
     (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.doc", "application/msword"), (b"ID3\x04", "a.mp3", "audio/mpeg"),
     (b"\0\0\0\x18ftypmp42", "a.mp4", "video/mp4"), (b"MZ\x90\0", "a.png", UNKNOWN), (b"", "a.txt", UNKNOWN),
     ("<html>Γεια".encode(), "a.pdf", "text/plain"), ("é".encode() * 32 + b"x", "a.txt", "text/plain"),
     (b"PK\x03\x04", "a.zip", "application/zip"),
     (b"PK\x03\x04", "a.DOCX", "application/vnd.openxmlformats-officedocument.wordprocessingml.document")],
)  # fmt: skip
async def test_a_type_is_told_by_the_bytes(head: bytes, title: str, media_type: str) -> None:
    assert sniffed(head[:64], title) == media_type


async def test_an_upload_lies_under_a_name_of_ours_and_is_read_by_its_owner(house: House) -> None:
    agent = await house.user("Eve")
    media = await files(house).upload(by=agent, title="../../etc/passwd", content=pieces(PNG[:50], PNG[50:]))
    assert (media.kind, media.media_type, media.size, media.name) == (
        Kind.IMAGE, "image/png", len(PNG), "../../etc/passwd",
    )  # fmt: skip
    assert [one.name for one in house.desk.folder.path.iterdir()] == [media.ref]
    assert await whole(house, media.ref, by=agent) == PNG
    with pytest.raises(NotGrantedError):
        await files(house).read(by=await house.user("Ann"), name=media.ref)
    with pytest.raises(NotFoundError):
        await files(house).read(by=agent, name="../desk.db")
    await house.desk.service.catalogue.save_answer(by=SYSTEM, category="a", title="b", files=[media.ref])
    assert await whole(house, media.ref, by=await house.user("Bob")) == PNG


@pytest.mark.row("A23")
@pytest.mark.parametrize(
    ("title", "head", "kind"),
    [("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind.DOCUMENT), ("a.pdf", b"%PDF-1.7", Kind.DOCUMENT),
     ("a.jpeg", b"\xff\xd8\xff\xe0", Kind.IMAGE), ("a.png", PNG, Kind.IMAGE), ("a.mp3", b"ID3\x04", Kind.AUDIO),
     ("a.mp4", b"\0\0\0\x18ftypmp42", Kind.VIDEO)],
)  # fmt: skip
async def test_documents_and_media_are_uploaded_sent_and_shown(
    house: House, title: str, head: bytes, kind: Kind
) -> None:
    house.provider.files = frozenset({Kind.DOCUMENT, Kind.IMAGE, Kind.AUDIO, Kind.VIDEO})
    ann, conversations = await house.user("Ann"), house.desk.service.conversations
    number = await house.written("bob")
    await conversations.accept(by=ann, conversation=number)
    media = await files(house).upload(by=ann, title=title, content=pieces(head))
    assert media.kind is kind
    await conversations.reply(by=ann, conversation=number, parts=[media])
    await house.send()
    (body,) = house.provider.bodies
    (sent,) = body["files"]
    assert b"".join([piece async for piece in house.desk.files().read(sent)]) == head
    shown = (await conversations.messages(by=ann, conversation=number)).rows[0]
    assert (shown.parts, [(one.state, one.name) for one in shown.files]) == ((media,), [("stored", media.ref)])
    (document,) = (await files(house).documents(by=ann, conversation=number)).rows
    assert (document.title, document.media_type, document.direction) == (title, media.media_type, "out")
    assert await whole(house, document.name, by=ann) == head


async def test_an_upload_that_is_empty_too_large_or_not_granted_leaves_nothing(opening: Opening) -> None:
    async with opening(media_limit=10) as house:
        agent = await house.user("Eve")
        with pytest.raises(IncompleteError, match="empty"):
            await files(house).upload(by=agent, title="a", content=pieces())
        with pytest.raises(PermanentError, match="larger than 10 bytes"):
            await files(house).upload(by=agent, title="a", content=pieces(b"12345", b"678901"))
        nobody = await house.desk.service.people.grant(by=SYSTEM, user=agent.id, access=())
        with pytest.raises(NotGrantedError):
            await files(house).upload(by=nobody, title="a", content=pieces(b"1"))
        assert list(house.desk.folder.path.iterdir()) == []


@pytest.mark.row("A42")
async def test_documents_are_of_the_conversation_or_of_all_with_the_customer(house: House) -> None:
    image = Media(kind=Kind.IMAGE, id="1", name="first.png")
    await house.deliver(message("bob", "one", parts=(image,)))
    first = await house.conversation()
    await house.desk.service.conversations.close(by=SYSTEM, conversation=first)
    await house.deliver(message("bob", "two", parts=(Media(kind=Kind.DOCUMENT, id="2", name="second"),)))
    await house.deliver(message("ann", "other", parts=(image,)))
    await worked(house)
    current = first + 1
    agent = await house.user("Eve")
    with pytest.raises(NotGrantedError):
        await files(house).documents(by=agent, conversation=first)
    await house.desk.service.conversations.accept(by=agent, conversation=current)
    (only,) = (await files(house).documents(by=agent, conversation=current)).rows
    assert (only.title, only.state, only.media_type, only.size) == ("second", "stored", "text/plain", 10)
    assert await whole(house, only.name, by=agent) == b"some bytes"
    page = await files(house).documents(by=agent, conversation=current, everywhere=True, limit=1)
    assert [one.title for one in page.rows] == ["second"]
    page = await files(house).documents(by=agent, conversation=current, everywhere=True, cursor=page.cursor)
    assert [one.title for one in page.rows] == ["first.png"]
    await house.deliver(message("bob", "elsewhere", parts=(image,)), connection="second")
    ours = attrs.evolve(await files(house).upload(by=agent, title="ours", content=pieces(b"x")), kind=Kind.DOCUMENT)
    await house.desk.service.conversations.reply(by=agent, conversation=current, parts=[ours])
    page = await files(house).documents(by=agent, conversation=current)
    assert [(one.title, one.direction) for one in page.rows] == [("ours", "out"), ("second", "in")]
    page = await files(house).documents(by=agent, conversation=current, everywhere=True)
    assert [one.title for one in page.rows] == ["ours", "first.png", "second", "first.png"]


@pytest.mark.row("A9")
async def test_documents_of_a_colleagues_open_conversation_are_not_listed_or_read_elsewhere(house: House) -> None:
    image = Media(kind=Kind.IMAGE, id="1", name="theirs")
    await house.deliver(message("bob", "one", parts=(image,)), connection="second")
    theirs = await house.conversation()
    await house.deliver(message("bob", "two", parts=(Media(kind=Kind.IMAGE, id="2", name="mine"),)))
    mine = await house.conversation()
    ann, bea = await house.user("Ann"), await house.user("Bea")
    conversations = house.desk.service.conversations
    await conversations.accept(by=ann, conversation=theirs)
    await conversations.accept(by=bea, conversation=mine)

    async def listed(by: User) -> list[str]:
        page = await files(house).documents(by=by, conversation=mine, everywhere=True)
        return [one.title for one in page.rows]

    await worked(house)
    (document,) = (await files(house).documents(by=ann, conversation=theirs)).rows
    assert await whole(house, document.name, by=ann) == b"some bytes"
    with pytest.raises(NotGrantedError):
        await files(house).read(by=bea, name=document.name)
    assert await listed(bea) == ["mine"]
    assert await listed(await house.user("Sue", Access.DASHBOARD)) == ["mine", "theirs"]
    await conversations.share(by=ann, conversation=theirs, user=bea.id)
    assert await listed(bea) == ["mine", "theirs"]
    await conversations.share(by=ann, conversation=theirs, user=bea.id, shared=False)
    await conversations.close(by=SYSTEM, conversation=theirs)
    assert await listed(bea) == ["mine", "theirs"]


async def test_a_file_is_sent_only_by_who_may_read_it(house: House) -> None:
    ann, bea = await house.user("Ann"), await house.user("Bea")
    conversations = house.desk.service.conversations
    hers, his = await house.written("bob"), await house.written("cid")
    await conversations.accept(by=ann, conversation=hers)
    await conversations.accept(by=bea, conversation=his)
    file = await files(house).upload(by=ann, title="secret", content=pieces(b"secret"))
    part = attrs.evolve(file, kind=Kind.DOCUMENT)
    await conversations.reply(by=ann, conversation=hers, parts=[part])
    assert await whole(house, file.ref, by=ann) == b"secret"
    for hidden in (part, Sticker(id="", media=part)):
        with pytest.raises(NotGrantedError, match="Bea Ng may not read"):
            await conversations.reply(by=bea, conversation=his, parts=[hidden])
    with pytest.raises(NotFoundError):
        await conversations.reply(by=bea, conversation=his, parts=[attrs.evolve(part, ref="0" * 32)])
    with pytest.raises(NotGrantedError):
        await conversations.start(by=bea, connection="post", address=Address("post", "new"), parts=[part])
    assert len(await house.messages(his)) == 1
    await house.desk.service.catalogue.save_answer(by=SYSTEM, category="a", title="b", files=[file.ref])
    await conversations.reply(by=bea, conversation=his, parts=[part])


@pytest.mark.row("A24")
async def test_what_the_channel_cannot_carry_is_told_before_and_refused_with_the_reason(house: House) -> None:
    ann, conversations = await house.user("Ann"), house.desk.service.conversations
    number = await house.written("bob")
    await conversations.accept(by=ann, conversation=number)
    sends = (await conversations.capabilities(by=ann, conversation=number)).sends
    assert (Kind.DOCUMENT in sends, Kind.IMAGE in sends) == (True, False)
    thread = Thread(root="post-1", depth=1, private=False)
    public = await house.written("bob", "look", surface=Surface.COMMENT, thread=thread)
    assert Kind.DOCUMENT not in (await conversations.capabilities(by=ann, conversation=public)).sends
    await conversations.accept(by=ann, conversation=public)
    document = await files(house).upload(by=ann, title="a.pdf", content=pieces(b"%PDF-1.7"))
    with pytest.raises(PermanentError, match="document"):
        await conversations.reply(by=ann, conversation=public, parts=[document])
    image = await files(house).upload(by=ann, title="a.png", content=pieces(PNG))
    with pytest.raises(PermanentError, match="image") as refused:
        await conversations.reply(by=ann, conversation=number, parts=[image])
    assert refused.value.code == "unsupported"
    house.provider.media = {Kind.DOCUMENT: MediaLimit(types=frozenset({"application/pdf"}), upload=20)}
    letter = await files(house).upload(by=ann, title="a.doc", content=pieces(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"))
    with pytest.raises(PermanentError, match="use application/pdf"):
        await conversations.reply(by=ann, conversation=number, parts=[letter])
    long = await files(house).upload(by=ann, title="a.pdf", content=pieces(b"%PDF-1.7" + bytes(13)))
    with pytest.raises(PermanentError, match="larger than 20 bytes"):
        await conversations.reply(by=ann, conversation=number, parts=[long])
    claims = [(letter, {"media_type": "application/pdf"}, "use application/pdf"), (long, {"size": 3}, "larger than 20")]
    for file, claim, why in claims:
        with pytest.raises(PermanentError, match=why):
            await conversations.reply(by=ann, conversation=number, parts=[attrs.evolve(file, **claim)])
    assert [one.direction for one in await house.messages(number)] == ["in"]
    short = await files(house).upload(by=ann, title="a.pdf", content=pieces(b"%PDF-1.7"))
    await conversations.reply(by=ann, conversation=number, parts=[short])


async def test_the_picture_of_a_sticker_that_was_sent_is_a_file_of_the_conversation(house: House) -> None:
    house.provider.files = frozenset({Kind.STICKER})
    house.provider.media = {Kind.STICKER: MediaLimit(types=frozenset({"image/png"}), upload=1000)}
    number = await house.written("bob")
    picture = attrs.evolve(await files(house).upload(by=SYSTEM, title="a.png", content=pieces(PNG)), kind=Kind.STICKER)
    await house.desk.service.conversations.reply(by=SYSTEM, conversation=number, parts=[Sticker(id="", media=picture)])
    (document,) = (await files(house).documents(by=SYSTEM, conversation=number)).rows
    assert (document.name, document.size) == (picture.ref, len(PNG))


async def test_a_type_is_told_however_the_bytes_arrive(house: House) -> None:
    media = await files(house).upload(by=SYSTEM, title="a", content=pieces(PNG[:1], PNG[1:5], PNG[5:]))
    assert media.media_type == "image/png"


async def test_the_file_of_a_deleted_message_is_read_no_more(house: House) -> None:
    await house.deliver(message("bob", "one", parts=(Media(kind=Kind.IMAGE, id="1"),)))
    await worked(house)
    conversation = await house.conversation()
    (document,) = (await files(house).documents(by=SYSTEM, conversation=conversation)).rows
    await house.deliver(
        MessageDeleted(key="d", occurred_at=START, external_id="bob:one", sender=Address("post", "bob"))
    )
    await worked(house)
    assert (await files(house).documents(by=SYSTEM, conversation=conversation)).rows == []
    assert list(house.desk.folder.path.iterdir()) == []
    with pytest.raises(NotFoundError):
        await files(house).read(by=SYSTEM, name=document.name)
