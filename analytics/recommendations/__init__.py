"""What to offer whom: what they buy again, and what is new for them."""
