"""What Meta's channels share: signature, handshake, Graph client, error table."""
