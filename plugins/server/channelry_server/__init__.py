"""HTTP in and out for channelry: webhook server, outbound client, health, metrics."""
