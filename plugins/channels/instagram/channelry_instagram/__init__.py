"""Instagram for channelry."""
