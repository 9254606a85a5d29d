"""channelry on one machine, with simulated providers."""
