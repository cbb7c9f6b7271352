"""Clusters beside the named segments: a view to explore, with how well they hold together, and who fits nowhere."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import DBSCAN, KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.neighbors import NearestNeighbors

from analytics.purchases.summary import Floats

FEWEST_CUSTOMERS = 200
CLUSTERS = 4
BOOTSTRAPS = 10
MEASURE_AT_MOST = 3_000
LEARN_FROM_AT_MOST = 20_000
NEIGHBOURS = 10
# Frozen centres stay until the silhouette falls this much below a fresh fit's.
REFIT_WHEN_WORSE_BY = 0.05


@dataclass(frozen=True)
class Clusters:
    """``label`` (0 to 3, by falling spend) and ``outlier`` per customer; centres on the log scale, (4, 3)."""

    label: pd.Series
    outlier: pd.Series
    centres: Floats
    middle: Floats
    spread: Floats
    silhouette: float
    stability: float
    refitted: bool


def clusters(table: pd.DataFrame, spent: pd.Series, *, frozen: dict[str, list[float]] | None = None) -> Clusters | None:
    """K-Means on log recency, frequency and spend; None below 200 customers, where clusters change with the weather.

    frozen : ``parameters`` of the run before; its centres are kept unless fresh ones fit clearly better, so that a
             customer changes cluster by behaving differently, not by a new fit
    """
    if len(table) < FEWEST_CUSTOMERS:
        return None
    read = np.log1p(np.column_stack((table["recency"], table["days_bought"], spent)))
    middle, spread = read.mean(axis=0), read.std(axis=0) + 1e-9
    if frozen is not None:
        middle, spread = np.array(frozen["middle"]), np.array(frozen["spread"])
    scaled = (read - middle) / spread
    fresh = KMeans(CLUSTERS, n_init=10, random_state=0).fit(scaled[_sample(len(scaled), LEARN_FROM_AT_MOST)])
    centres, refitted = _ordered(fresh.cluster_centers_), True
    if frozen is not None:
        kept = np.array(frozen["centres"]).reshape(CLUSTERS, -1)
        if (
            _silhouette(scaled, _nearest(scaled, kept))
            >= _silhouette(scaled, _nearest(scaled, fresh.cluster_centers_)) - REFIT_WHEN_WORSE_BY
        ):
            centres, refitted = kept, False
        else:
            centres = _matched(kept, fresh.cluster_centers_)
    label = _nearest(scaled, centres)
    return Clusters(
        label=pd.Series(label, table.index, name="cluster"),
        outlier=pd.Series(outliers(scaled), table.index, name="outlier"),
        centres=centres,
        middle=middle,
        spread=spread,
        silhouette=_silhouette(scaled, label),
        stability=stability(scaled),
        refitted=refitted,
    )


def _nearest(scaled: Floats, centres: Floats) -> npt.NDArray[np.int64]:
    return np.asarray(((scaled[:, None, :] - centres[None]) ** 2).sum(axis=2).argmin(axis=1))


def _ordered(centres: Floats) -> Floats:
    """By falling spend, so that a number means something."""
    return np.asarray(centres[np.argsort(-centres[:, 2])])


def _matched(kept: Floats, fresh: Floats) -> Floats:
    """Fresh centres in the order of the kept ones they lie nearest to."""
    rows, columns = linear_sum_assignment(((kept[:, None, :] - fresh[None]) ** 2).sum(axis=2))
    return np.asarray(fresh[columns[np.argsort(rows)]])


def _sample(number: int, most: int = MEASURE_AT_MOST) -> npt.NDArray[np.int64]:
    if number <= most:
        return np.arange(number)
    return np.random.default_rng(0).choice(number, most, replace=False)


def _silhouette(scaled: Floats, label: npt.NDArray[np.int64]) -> float:
    keep = _sample(len(scaled))
    return float(silhouette_score(scaled[keep], label[keep])) if len(set(label[keep])) > 1 else 0.0


def stability(scaled: Floats) -> float:
    """Mean adjusted Rand index between the fit on all customers and fits on bootstrap samples of them."""
    scaled = scaled[_sample(len(scaled))]
    reference = KMeans(CLUSTERS, n_init=5, random_state=0).fit(scaled)
    found = []
    for number in range(BOOTSTRAPS):
        drawn = np.random.default_rng(number).choice(len(scaled), len(scaled))
        other = KMeans(CLUSTERS, n_init=3, random_state=number).fit(scaled[drawn])
        found.append(adjusted_rand_score(reference.labels_, _nearest(scaled, other.cluster_centers_)))
    return float(np.mean(found))


def outliers(scaled: Floats) -> npt.NDArray[np.bool_]:
    """Customers in no dense region (DBSCAN's noise), such as wholesalers.

    The radius is three times the median distance to the tenth neighbour: data of this kind is one cloud with a few
    specks around it. Dense regions are found on a sample of 3,000; who lies within the radius of one belongs to it.
    """
    some = scaled[_sample(len(scaled))]
    distances, _ = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(some).kneighbors(some)
    radius = 3.0 * float(np.median(distances[:, -1])) + 1e-9
    dense = DBSCAN(eps=radius, min_samples=NEIGHBOURS).fit(some).core_sample_indices_
    if not len(dense):
        return np.zeros(len(scaled), bool)
    nearest, _ = NearestNeighbors(n_neighbors=1).fit(some[dense]).kneighbors(scaled)
    return np.asarray(nearest[:, 0] > radius)
