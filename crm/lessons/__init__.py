"""What the owner teaches the bot: proposed, replayed against the past, adopted if nothing gets worse, taken back.

``articles`` writes and takes back articles, ``replay`` finds out what a new one would change, ``past`` reads the log.
"""
