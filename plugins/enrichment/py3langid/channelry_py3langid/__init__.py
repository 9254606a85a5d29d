"""Language detection in 139 languages on this machine for channelry."""
