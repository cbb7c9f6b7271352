"""Groups of customers: five named ones by rules, and clusters beside them to explore."""
