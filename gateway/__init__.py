"""One way in, one way out: the web chat API and Telegram, the log of both, and the turns between customer and bot."""
