"""Who bought what, as a sparse matrix, and what follows from it for all customers at once."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from analytics.frames import Frames

MOST_PRODUCTS = 4_000
HALF_LIFE_DAYS = 180.0
POPULAR_DAYS = 30


@dataclass(frozen=True)
class Purchases:
    """Rows are customers, columns products; both in the order of the indexes.

    bought  : 1 where the customer ever bought the product, float32 (customers, products)
    counts  : on how many days
    faded   : each day of buying counted as 0.5^(age / 180 days)
    popular : orders per product in the last 30 days that saw sales, (products,)
    """

    customers: pd.Index
    products: pd.Index
    bought: sparse.csr_array
    counts: sparse.csr_array
    faded: sparse.csr_array
    popular: np.ndarray


def purchases(frames: Frames) -> Purchases:
    """From the order lines up to ``frames.as_of``; of very large catalogues the 4,000 most bought products."""
    lines = frames.lines[["customer_id", "product_id", "ordered_at", "order_id"]]
    sold = lines["product_id"].value_counts()
    products = pd.Index(np.sort(sold.index[:MOST_PRODUCTS].to_numpy("int64")), name="product_id")
    own = lines.dropna(subset=["customer_id"]).astype({"customer_id": "int64"})
    own = own[own["product_id"].isin(products)]
    own = own.assign(day=own["ordered_at"].dt.floor("D")).drop_duplicates(["customer_id", "product_id", "day"])
    customers = pd.Index(np.sort(own["customer_id"].unique()), name="customer_id")
    rows, columns = customers.get_indexer(own["customer_id"]), products.get_indexer(own["product_id"])
    age = ((pd.Timestamp(frames.as_of) - own["day"]) / pd.Timedelta(days=1)).to_numpy(float)
    shape = (len(customers), len(products))

    def matrix(values: np.ndarray) -> sparse.csr_array:
        return sparse.csr_array(sparse.coo_array((values.astype(np.float32), (rows, columns)), shape=shape))

    counts = matrix(np.ones(len(own)))
    bought = counts.copy()
    bought.data[:] = 1.0
    return Purchases(
        customers=customers,
        products=products,
        bought=bought,
        counts=counts,
        faded=matrix(0.5 ** (age / HALF_LIFE_DAYS)),
        popular=_popular(lines, products, frames),
    )


def _popular(lines: pd.DataFrame, products: pd.Index, frames: Frames) -> np.ndarray:
    """Counted over the last 30 days; a shop that sold nothing then is counted over the 30 days up to its last sale."""
    if lines.empty:
        return np.zeros(len(products), np.float32)
    end = min(pd.Timestamp(frames.as_of), lines["ordered_at"].max())
    recent = lines[lines["ordered_at"] > end - pd.Timedelta(days=POPULAR_DAYS)]
    orders = recent.drop_duplicates(["order_id", "product_id"])["product_id"].value_counts()
    return np.asarray(orders.reindex(products, fill_value=0), np.float32)
