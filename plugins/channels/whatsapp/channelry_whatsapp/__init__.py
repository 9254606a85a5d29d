"""WhatsApp (Cloud API) for channelry."""
