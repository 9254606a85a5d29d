"""Signatures of OAuth 1.0a."""

from channelry_webapi.oauth1 import signature


def test_the_example_of_rfc_5849_has_its_signature() -> None:
    """Scheme and host count in lower case, and the port unless it is the scheme's own."""
    oauth = {
        "oauth_consumer_key": "dpf43f3p2l4k3l03",
        "oauth_token": "nnch734d00sl2jdk",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": "137131202",
        "oauth_nonce": "chapoH",
    }
    url = "http://photos.example.net/photos?file=vacation.jpg&size=original"
    signed = "MdpQcU8iPSUjWoN/UDMsK2sui9I="
    for same in (url, url.replace("http://photos", "HTTP://Photos"), url.replace(".net", ".net:80")):
        assert signature("GET", same, oauth, "kd94hf93k423kf44", "pfkkdhi9sl3r4s00") == signed
    for other in (url.replace(".net", ".net:8080"), url.replace("http:", "https:"), f"{url}&a=", f"{url}+"):
        assert signature("GET", other, oauth, "kd94hf93k423kf44", "pfkkdhi9sl3r4s00") != signed
    bare, root = ("http://photos.example.net?size=original", "http://photos.example.net/?size=original")
    assert signature("GET", bare, oauth, "a", "b") == signature("GET", root, oauth, "a", "b")
