"""Language detection on this machine for channelry."""
