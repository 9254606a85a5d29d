"""X (Twitter) for channelry."""
