"""Telegram: what customers write comes in through the receiver, what they are told goes out through the outbox."""
