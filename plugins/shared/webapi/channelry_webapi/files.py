"""Files that customers sent."""

from collections.abc import Mapping

from attrs import evolve

from channelry.errors import PermanentError
from channelry.model import Capabilities, Media
from channelry.services import Save, Services


async def fetch(
    services: Services,
    media: Media,
    save: Save,
    capabilities: Capabilities,
    *,
    url: str = "",
    headers: Mapping[str, str] | None = None,
) -> Media:
    """Download a file from `url`, else from its own link, and give it with the size and type that it has."""
    limit, url = capabilities.media[media.kind].fetch, url or media.url
    if not url or limit is None:
        raise PermanentError("the file has no link to fetch it by", code="no_file")
    file = await services.http.download(url, save, headers=headers, limit=limit)
    return evolve(media, media_type=media.media_type or file.media_type, size=file.size)
