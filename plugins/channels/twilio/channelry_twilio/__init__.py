"""Twilio (SMS, MMS, WhatsApp senders) for channelry."""
