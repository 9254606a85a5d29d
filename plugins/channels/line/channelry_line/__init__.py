"""LINE (Messaging API) for channelry."""
