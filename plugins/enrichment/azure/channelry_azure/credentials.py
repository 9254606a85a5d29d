"""How the resource is proved ours: by its key, or by a token of Entra ID. Importing this imports the SDK."""

import logging
from typing import TYPE_CHECKING, TypeAlias

from azure.core.credentials import AzureKeyCredential

from channelry.errors import AuthError
from channelry.secrets import Secret

from .entra import Entra

if TYPE_CHECKING:
    from azure.identity import ClientSecretCredential, ManagedIdentityCredential

Token: TypeAlias = "ClientSecretCredential | ManagedIdentityCredential"
Credential: TypeAlias = "AzureKeyCredential | Token"


def of_key(key: Secret) -> AzureKeyCredential:
    """Give the credential of a key; AuthError for one that no header can carry: the SDK would refuse it with the key
    in its message."""
    shown = key.reveal()
    if not shown.isascii() or not shown.isprintable() or shown != shown.strip():
        raise AuthError("the key has spaces or line ends around it, or letters that no key has", code="bad_key")
    return AzureKeyCredential(shown)


def of_entra(entra: Entra) -> Token:
    """Give the credential of an application by its secret, or, without one, of the machine's managed identity.

    The SDK asks it for tokens, keeps them until shortly before they expire, and sends them over https only.
    """
    from azure.identity import ClientSecretCredential, ManagedIdentityCredential  # a second's import, of few

    for name in ("azure.identity", "azure.core.pipeline.policies.http_logging_policy"):
        logging.getLogger(name).setLevel(logging.ERROR)  # they tell at INFO of each token asked for
    if entra.secret is None:
        return ManagedIdentityCredential(client_id=entra.client or None, retry_total=0)
    return ClientSecretCredential(
        entra.tenant,
        entra.client,
        entra.secret.reveal(),
        authority=entra.authority,
        disable_instance_discovery=True,  # or it asks Microsoft's public cloud whether the authority is one
        retry_total=0,
    )
