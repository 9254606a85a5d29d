"""Telephone numbers, written in one way: the same line is found again however somebody or a channel writes it."""

MEXICO, BRAZIL, ARGENTINA = 52, 55, 54
_MOBILE_DIGITS = {MEXICO: ("1", 11), ARGENTINA: ("9", 11)}
"""Digits that stand before mobile numbers when dialled from abroad, and how long the number is with them. Mexico has
dropped its 1 since 2019, and channels still write both."""
_BRAZIL_MOBILE = 11
"""Digits of a Brazilian mobile number with its area code and the ninth digit, which older accounts lack
(Anatel, Resolução 553/2010)."""


def canonical(text: str, region: str = "") -> str:
    """Give a number in its one form: `+`, the country and the number; `""` where the text is none.

    `region`: the country (ISO 3166, two letters) of numbers that are written without one; `""`: they are none.
    """
    import phonenumbers  # 40 ms that a server's start need not have

    try:
        number = phonenumbers.parse(text, region.upper() or None)
    except phonenumbers.NumberParseException:
        return ""
    country, national = number.country_code or 0, phonenumbers.national_significant_number(number)
    digit, length = _MOBILE_DIGITS.get(country, ("", 0))
    if digit and national.startswith(digit) and len(national) == length:
        national = national[1:]
    if country == BRAZIL and len(national) == _BRAZIL_MOBILE and national[2] == "9":
        national = national[:2] + national[3:]
    one = phonenumbers.parse(f"+{country}{national}")
    return f"+{country}{national}" if phonenumbers.is_possible_number(one) else ""


def country(value: str) -> str:
    """Give the country (ISO 3166, two letters) of a number that a channel has; `""` where it is none, or of several."""
    import phonenumbers

    try:
        number = phonenumbers.parse(value if value.startswith("+") else f"+{value}")
    except phonenumbers.NumberParseException:
        return ""
    found = phonenumbers.region_code_for_number(number) or ""
    return found if found.isalpha() else ""  # 001 is a number of no country


def of_channel(value: str, region: str = "") -> str:
    """As `canonical`, of an address of a channel: these always have their country, some without the `+`."""
    return canonical(value if value.startswith("+") else f"+{value}") or canonical(value, region)
