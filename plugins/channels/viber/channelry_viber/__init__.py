"""Viber (REST bot API) for channelry."""
