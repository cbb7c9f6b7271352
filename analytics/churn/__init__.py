"""Churn risk: the probability that a customer who has bought orders nothing within the horizon."""
