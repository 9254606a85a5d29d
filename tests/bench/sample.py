"""What the benchmarks send: WhatsApp texts of about 1 KB, signed; and the configuration of who takes them."""

import hmac
import random
import time
from collections.abc import Iterator

import orjson

APP_SECRET = "bench-app-secret"
PHONE = "2002"
TEXT = "My order 4711 was to come on Monday. It is Thursday now, and nobody answers the telephone. " * 5
PEOPLE = 10_000


def user(person: int) -> str:
    """Give the business-scoped user id by which a person is known."""
    return f"DE.{person:08}"


def webhook(person: int, message: str) -> bytes:
    """Give the body that brings one message of one person."""
    phone = f"4917{person:08}"
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550001111", "phone_number_id": PHONE},
        "contacts": [{"profile": {"name": "Ada"}, "wa_id": phone, "user_id": user(person)}],
        "messages": [
            {
                "from": phone,
                "from_user_id": user(person),
                "id": message,
                "timestamp": str(int(time.time())),  # what is answered must be fresh
                "type": "text",
                "text": {"body": TEXT},
            }
        ],
    }
    entry = {"id": "1001", "changes": [{"field": "messages", "value": value}]}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})


def sign(body: bytes) -> str:
    """Give the header `X-Hub-Signature-256` of a body."""
    return "sha256=" + hmac.digest(APP_SECRET.encode(), body, "sha256").hex()


def messages(number: int) -> Iterator[bytes]:
    """Give messages of random people, each with a random id that never comes again."""
    for _ in range(number):
        yield webhook(random.randrange(PEOPLE), f"wamid.{random.randbytes(24).hex()}")


BODY = webhook(1, "wamid.HBgLNDkxNzAwMDAwMDAxFQIAEhgUM0E")
SIGNATURE = sign(BODY)
CONFIGURATION = f"""
allow_inline_secrets = true
[server]
host = "127.0.0.1"
port = PORT
log_level = "error"
[connections.support]
plugin = "whatsapp"
phone_number_id = "{PHONE}"
access_token = "bench"
app_secret = "{APP_SECRET}"
verify_token = "bench"
"""
ENRICHED = """
[enrichment]
language = ["langdetect"]
sentiment = ["vader"]
"""
TELEGRAM = """
[connections.bot]
plugin = "telegram"
token = "1:abc"
secret_token = "s3cret"
"""
