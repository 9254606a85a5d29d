"""Telegram (Bot API) for channelry."""
