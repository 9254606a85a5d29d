"""How many segments a text message is sent in: what it costs, and what carriers may lose.

Source: https://www.twilio.com/docs/glossary/what-sms-character-limit, 3GPP TS 23.038, 6.2.1
"""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
"""Characters that take two septets, which are never parted."""
_GSM_7, _UCS_2 = (160, 153), (70, 67)
"""Units (septets, UTF-16) of a segment that stands alone, and of one of several."""


def count(text: str) -> int:
    """Count the segments of a text; one character beyond GSM-7 makes all of it UCS-2. An empty text is one."""
    basic = (_BASIC | _EXTENDED).issuperset(text)
    alone, joined = _GSM_7 if basic else _UCS_2
    doubles = [character in _EXTENDED if basic else character > "\uffff" for character in text]
    if len(text) + sum(doubles) <= alone:
        return 1
    segments, left = 1, joined
    for double in doubles:
        left -= 1 + double
        if left < 0:
            segments, left = segments + 1, joined - 1 - double
    return segments
