"""The page behind a quote's link, and what the chat says about quotes."""
