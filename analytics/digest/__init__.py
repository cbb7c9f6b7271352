"""The weekly digest: what changed, and what to do. Facts from the store, rendered once, sent once."""
