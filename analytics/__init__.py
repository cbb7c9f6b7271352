"""What the desk learns from its log and the shop's records: features, models, scores, forecasts, one digest."""
