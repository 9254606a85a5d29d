"""Comments on a Facebook Page for channelry."""
