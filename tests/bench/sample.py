"""The webhook that the benchmarks use: a WhatsApp text of about 1 KB, signed."""

import hmac

import orjson

APP_SECRET = "bench-app-secret"
PHONE = "2002"
TEXT = "My order 4711 was to come on Monday. It is Thursday now, and nobody answers the telephone. " * 5
BODY = orjson.dumps(
    {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": "1001",
                "changes": [
                    {
                        "field": "messages",
                        "value": {
                            "messaging_product": "whatsapp",
                            "metadata": {"display_phone_number": "15550001111", "phone_number_id": PHONE},
                            "contacts": [{"profile": {"name": "Ada"}, "wa_id": "491700000001", "user_id": "DE.7f3a"}],
                            "messages": [
                                {
                                    "from": "491700000001",
                                    "from_user_id": "DE.7f3a",
                                    "id": "wamid.HBgLNDkxNzAwMDAwMDAxFQIAEhgUM0E",
                                    "timestamp": "1795300000",
                                    "type": "text",
                                    "text": {"body": TEXT},
                                }
                            ],
                        },
                    }
                ],
            }
        ],
    }
)
SIGNATURE = "sha256=" + hmac.digest(APP_SECRET.encode(), BODY, "sha256").hex()
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
