"""Zulip for channelry."""
