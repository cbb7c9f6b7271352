"""Learning the weights: regularised logistic regression on weighted counts."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from analytics.sentiment.texts import Text
from crm.sentiment import LABELS, SentimentModel, weighed

STRENGTH = 12.0
SEEN_AT_LEAST = 2
# A request counts as neutral only where the texts written for the purpose do not say otherwise.
UNLIKE = 0.6
KEEP_REQUESTS = 2_500


def learn(texts: Sequence[Text], requests: Iterable[Text] = (), own: Sequence[Text] = ()) -> SentimentModel:
    """The model.

    texts    : labelled texts
    requests : texts that are most likely neutral; those that sound otherwise are left out
    own      : the shop's: messages with a score, and the owner's corrections
    """
    first = _fit([*texts, *own])
    agreeing = [one for one in requests if _agrees(first, one)]
    if len(agreeing) > KEEP_REQUESTS:
        # Drawn by the text itself: a line that is added or taken away elsewhere changes no other line's lot.
        agreeing = sorted(agreeing, key=lambda one: sha256(one.text.encode()).digest())[:KEEP_REQUESTS]
    return _fit([*texts, *agreeing, *own])


def _agrees(model: SentimentModel, one: Text) -> bool:
    return abs(model.judge(one.text).score) < UNLIKE


def _fit(texts: Sequence[Text]) -> SentimentModel:
    vectors = DictVectorizer(dtype=np.float64)
    read = vectors.fit_transform([weighed(one.text) for one in texts])
    often = np.asarray((read > 0).sum(axis=0)).ravel() >= SEEN_AT_LEAST
    names = [str(name) for name in vectors.feature_names_]
    kept = [name for name, enough in zip(names, often, strict=True) if enough]
    model = LogisticRegression(C=STRENGTH, max_iter=500, tol=1e-3, class_weight="balanced")
    model.fit(
        read[:, often],
        [LABELS.index(one.label) for one in texts],
        sample_weight=[one.weight for one in texts],
    )
    return SentimentModel(kept, model.coef_.T.astype(np.float32), model.intercept_.astype(np.float32))
