"""What will be sold: per day in all, per segment, per product group, and when a product runs out."""
