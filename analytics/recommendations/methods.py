"""Scores of all products for some customers, by different ways of looking; (customers, products), higher is better."""

from collections.abc import Callable

import numpy as np
from scipy import linalg, sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from analytics.recommendations.purchases import Purchases

Scores = np.ndarray
Scorer = Callable[[np.ndarray], Scores]
EASE_LAMBDA = 300.0
NEIGHBOURS = 100
NEIGHBOURS_AMONG_AT_MOST = 5_000
FACTORS, ALS_ROUNDS, ALS_REGULARISATION, ALS_TRUST = 32, 8, 20.0, 10.0


def repeat(data: Purchases) -> Scorer:
    """What a customer bought before, lately counting more: half as much after 180 days."""
    return lambda rows: data.faded[rows].toarray()


def popularity(data: Purchases) -> Scorer:
    """What most orders of the last month held: the same for everybody."""
    return lambda rows: np.broadcast_to(data.popular, (len(rows), len(data.products)))


def ease(data: Purchases) -> Scorer:
    """EASE^R. Source: H. Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, with λ = 300.

    The penalty is scaled down for small shops, where 300 would leave nothing to learn.
    """
    gram = (data.bought.T @ data.bought).toarray().astype(np.float64)
    penalty = min(EASE_LAMBDA, max(5.0, 0.08 * len(data.customers)))
    gram[np.diag_indices_from(gram)] += penalty
    inverse = linalg.inv(gram, overwrite_a=True, check_finite=False)
    weights = (-inverse / np.diag(inverse)).astype(np.float32)
    np.fill_diagonal(weights, 0.0)
    return lambda rows: np.asarray(data.bought[rows] @ weights)


def item_neighbours(data: Purchases) -> Scorer:
    """Item-based collaborative filtering: cosine between products by the customers who bought them."""
    lengths = np.sqrt(np.asarray(data.bought.sum(axis=0))).ravel() + 1e-9
    scaled = data.bought @ sparse.diags_array((1.0 / lengths).astype(np.float32))
    similar = (scaled.T @ scaled).toarray()
    np.fill_diagonal(similar, 0.0)
    return lambda rows: np.asarray(data.bought[rows] @ similar)


def user_neighbours(data: Purchases) -> Scorer:
    """User-based collaborative filtering: what the 100 customers with the most similar purchases bought.

    Neighbours are looked for among an even sample of 5,000 customers: comparing all with all grows with the square.
    """
    lengths = np.sqrt(np.asarray(data.bought.sum(axis=1))).ravel() + 1e-9
    scaled = sparse.csr_array(sparse.diags_array((1.0 / lengths).astype(np.float32)) @ data.bought)
    among = np.arange(len(lengths))
    if len(among) > NEIGHBOURS_AMONG_AT_MOST:
        among = np.sort(np.random.default_rng(0).choice(among, NEIGHBOURS_AMONG_AT_MOST, replace=False))
    neighbours, theirs = sparse.csr_array(scaled[among].T), data.bought[among].toarray()

    def score(rows: np.ndarray) -> Scores:
        similar = (scaled[rows] @ neighbours).toarray()
        similar[rows[:, None] == among[None, :]] = 0.0
        if similar.shape[1] > NEIGHBOURS:
            floor = np.partition(similar, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS, None]
            similar[similar < floor] = 0.0
        return np.asarray(sparse.csr_array(similar) @ theirs)

    return score


def factorisation(data: Purchases) -> Scorer:
    """Matrix factorisation by alternating least squares on implicit feedback.

    Source: Y. Hu, Y. Koren, C. Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008.
    """
    factors = min(FACTORS, max(2, min(data.bought.shape) - 1))
    trust = data.counts.copy()
    trust.data = ALS_TRUST * np.log1p(trust.data)
    random = np.random.default_rng(0)
    items = 0.1 * random.standard_normal((data.bought.shape[1], factors))
    users = np.zeros((data.bought.shape[0], factors))
    by_item = sparse.csr_array(trust.T)
    for _ in range(ALS_ROUNDS):
        _solve(users, items, trust)
        _solve(items, users, by_item)
    return lambda rows: np.asarray(users[rows] @ items.T)


def _solve(target: np.ndarray, other: np.ndarray, trust: sparse.csr_array) -> None:
    base = other.T @ other + ALS_REGULARISATION * np.eye(other.shape[1])
    for row in range(len(target)):
        start, end = trust.indptr[row], trust.indptr[row + 1]
        seen, weight = other[trust.indices[start:end]], trust.data[start:end]
        left = base + (seen * weight[:, None]).T @ seen
        target[row] = linalg.solve(left, (1.0 + weight) @ seen, assume_a="pos", check_finite=False)


def content(data: Purchases, words: list[str]) -> Scorer:
    """Products described like those bought before; ``words`` is one text per product, in any language.

    The only way to know anything of a product that nobody has bought yet.
    """
    if not any(text.strip() for text in words):
        return lambda rows: np.zeros((len(rows), len(data.products)), np.float32)
    vectors = sparse.csr_array(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, dtype=np.float32).fit_transform(
            words
        )
    )

    def score(rows: np.ndarray) -> Scores:
        taste = data.faded[rows] @ vectors
        return np.asarray((taste @ vectors.T).toarray())

    return score
