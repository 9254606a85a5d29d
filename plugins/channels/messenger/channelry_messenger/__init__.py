"""Facebook Messenger for channelry."""
