"""The command `channelry enrich`: language and sentiment of texts, and a comparison of the providers of both."""
