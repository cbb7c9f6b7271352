"""The pictures of the measurements."""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from analytics.forecast.backtest import Outlook


def calibration(pairs: list[tuple[np.ndarray, np.ndarray]], file: Path) -> None:
    """Stated against observed share of lost customers, in ten groups of equal size."""
    truth, risk = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    groups = np.array_split(np.argsort(risk), 10)
    figure, axes = plt.subplots(figsize=(4.5, 4.5), layout="constrained")
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.plot(
        [risk[group].mean() for group in groups], [truth[group].mean() for group in groups], "o-", color="#1f6f5c"
    )
    axes.set(xlabel="stated churn risk", ylabel="share without an order in 90 days", xlim=(0, 1), ylim=(0, 1))
    axes.set_title("Online Retail, 3 moments")
    figure.savefig(file, dpi=110)
    plt.close(figure)


def forecast(past: pd.Series, truth: np.ndarray, told: Outlook, file: Path) -> None:
    """The last eight weeks, the 30 days told with their band, and what came."""
    shown = past.iloc[-56:]
    figure, axes = plt.subplots(figsize=(9, 3.6), layout="constrained")
    axes.plot(shown.index, shown.to_numpy(), color="0.5", linewidth=1, label="known")
    axes.plot(told.days, truth, color="black", linewidth=1, label="came")
    axes.plot(told.days, told.middle, color="#1f6f5c", label=f"told ({told.method})")
    axes.fill_between(told.days, told.low, told.high, color="#1f6f5c", alpha=0.2, label="8 of 10 days")
    axes.set(ylabel="sales per day", ylim=(0, None))
    axes.legend(frameon=False, ncol=4, loc="lower left", bbox_to_anchor=(0.0, 1.0))
    figure.savefig(file, dpi=110)
    plt.close(figure)
