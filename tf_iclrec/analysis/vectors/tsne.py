"""A map that keeps neighbours together: t-SNE."""

import importlib.util

import numpy as np

from tf_iclrec.errors import UserError


def check_tsne() -> None:
    """Make sure that `tsne_map` has what it needs.

    Raises:
        UserError: If openTSNE is not installed.
    """
    if importlib.util.find_spec("openTSNE") is None:
        raise UserError("Maps by t-SNE need the package openTSNE: pip install 'tf_iclrec[plots]'")


def tsne_map(vectors: np.ndarray, perplexity: float = 30.0, seed: int = 0) -> np.ndarray:
    """Places in the plane, so that neighbours by the cosine are neighbours (van der Maaten and
    Hinton, 2008), by openTSNE: from the principal components, with exact neighbours.

    Distances between groups, and how large a group is on the map, say nothing: see
    `tf_iclrec.analysis.vectors.structure` for figures.

    Args:
        vectors: ``(n, dim)``, at least four.
        perplexity: About how many neighbours count; at most a third of the others.
        seed: Of what is random.

    Returns:
        ``(n, 2)`` float32; the same again for the same seed on the same machine.

    Raises:
        UserError: If openTSNE is not installed, or there are fewer than four vectors.

    Example:
    >>> rng = np.random.default_rng(0)
    >>> tsne_map(rng.normal(size=(20, 5)), perplexity=5.0).shape  # doctest: +SKIP
    (20, 2)
    """
    check_tsne()
    if len(vectors) < 4:
        raise UserError(f"A map by t-SNE needs four users or more, not {len(vectors)}.")
    from openTSNE import TSNE

    method = TSNE(
        perplexity=min(perplexity, (len(vectors) - 1) / 3),
        metric="cosine",
        neighbors="exact",
        initialization="pca",
        random_state=seed,
    )
    return np.asarray(method.fit(vectors.astype(np.float64)), dtype=np.float32)
