"""The pages behind the one-time links in digests and alerts."""
