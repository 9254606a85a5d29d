"""Sentiment of English text and emoji on this machine for channelry."""
