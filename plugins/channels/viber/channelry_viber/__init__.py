"""Viber for channelry."""
