"""Where arrows of two or three dimensions are seen on a flat panel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from superlaw.figures.panels import Arrows

DOT = 0.05  # an arrow shorter than this is a point
VIEW = np.array([[0.766, -0.220], [0.643, 0.262], [0.0, 0.940]])  # of three dimensions, 50 degrees about, 20 above
TURN = np.linspace(0, 2 * np.pi, 181)
ROOM = 0.13  # between an arrow's tip and its label


@dataclass(frozen=True, eq=False)
class View:
    """What is seen of n arrows, in the plane of the panel.

    Parameters
    ----------
    tips, labels_at : ndarray, shape (n, 2)
    points : ndarray of bool, shape (n,)
        Arrows too short to be drawn as such.
    circle : ndarray, shape (181, 2)
        Of radius 1, in the plane of the first two dimensions.
    axes : ndarray, shape (2 or 3, 2)
        The ends of the axes, as far as length 1.
    feet : ndarray, shape (n, 2) or (0, 2)
        Below the tips in the plane of the circle; none in two dimensions.
    reach : float
        Of the panel, to each side.
    """

    tips: np.ndarray
    labels_at: np.ndarray
    points: np.ndarray
    circle: np.ndarray
    axes: np.ndarray
    feet: np.ndarray
    reach: float


def seen(item: Arrows) -> View:
    """The arrows as they are; those of three dimensions from the side and above.

    Examples
    --------
    >>> seen(Arrows(np.array([[1.0, 0.0], [0.0, 0.0]]), ("1", "2"))).points
    array([False,  True])
    """
    solid = item.tips.shape[1] == 3
    view = VIEW if solid else np.eye(2)
    tips = item.tips @ view
    length = np.maximum(np.hypot(*tips.T), 1e-9)[:, None]
    return View(
        tips,
        tips * (1 + ROOM / length),
        np.linalg.norm(item.tips, axis=1) < DOT,
        np.stack([np.cos(TURN), np.sin(TURN)], axis=1) @ view[:2],
        view,
        item.tips[:, :2] @ view[:2] if solid else np.zeros((0, 2)),
        1.3 * max(1.0, float(np.abs(tips).max())),
    )
