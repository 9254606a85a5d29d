"""Slack (Events and Web API) for channelry."""
