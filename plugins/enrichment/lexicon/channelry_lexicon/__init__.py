"""Sentiment of seven languages and of emoji on this machine for channelry."""
