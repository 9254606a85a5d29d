"""Conversations, customers and a durable outbox: the application that keeps what the channels bring."""
