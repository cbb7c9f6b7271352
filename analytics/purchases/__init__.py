"""Buying as a process: how often somebody buys, and whether they still do."""
