"""How many segments a text message is sent in: what it costs, and what carriers may lose.

Source: https://www.twilio.com/docs/glossary/what-sms-character-limit, 3GPP TS 23.038, 6.2.1
"""

from attrs import frozen

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
"""Characters that take two septets, which are never parted."""

GSM_7, UCS_2 = "GSM-7", "UCS-2"
_ALONE = {GSM_7: 160, UCS_2: 70}
_JOINED = {GSM_7: 153, UCS_2: 67}
"""Units of a segment that stands alone, and of one of several."""


@frozen
class Segments:
    """A text as it is sent: its `encoding`, its length in units of that (septets, UTF-16), its segments."""

    encoding: str
    units: int
    count: int


def count(text: str) -> Segments:
    """Count the segments of a text; one character beyond GSM-7 makes all of it UCS-2. An empty text is one."""
    encoding = GSM_7 if _BASIC.issuperset(text) or (_BASIC | _EXTENDED).issuperset(text) else UCS_2
    doubles = [character in _EXTENDED if encoding is GSM_7 else character > "\uffff" for character in text]
    units = len(text) + sum(doubles)
    if units <= _ALONE[encoding]:
        return Segments(encoding, units, 1)
    room, segments = _JOINED[encoding], 1
    left = room
    for double in doubles:
        left -= 1 + double
        if left < 0:
            segments, left = segments + 1, room - 1 - double
    return Segments(encoding, units, segments)
