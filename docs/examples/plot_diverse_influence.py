"""
Is the influence diverse enough?
================================

The theory's condition, drawn: the rows of a Jacobian, the smallest L1 ball around them, and the largest ellipsoid in
that ball. If the ellipsoid is inside the hull of the rows, and the polars of the two touch where they must only, then
the components are the only best answer.
"""

# %%
# In two dimensions all of it can be seen. Eighty rows on the boundary of the ball leave hardly any of it free.
import numpy as np
from matplotlib import pyplot as plt

from identica import plotting
from identica.datasets import make_mixture
from identica.trust.sdi import check_sdi, summarise_sdi

generator = np.random.default_rng(0)


def rows(n_rows, n_components):
    """Rows of L1 norm 1."""
    drawn = generator.standard_normal((n_rows, n_components))
    return drawn / np.abs(drawn).sum(axis=1, keepdims=True)


figure, axes = plt.subplots(2, 2, figsize=(8, 9.5), layout="constrained")
few = np.array([[0.8, 0.2], [0.1, 0.9], [-0.6, 0.4], [-0.7, -0.3], [0.2, -0.8], [0.6, -0.4]])
for pair, jacobian in zip(axes, [rows(80, 2), few], strict=True):
    check = check_sdi(jacobian)
    print(f"{len(jacobian)} rows: part 1 {check.condition_1}, part 2 {check.condition_2}, margin {check.gamma[1]:.3f}")
    plotting.row_hull(jacobian, check, ax=pair[0])
    plotting.polar_hull(jacobian, check, ax=pair[1])

# %%
# Six rows, below, do not reach around the circle: the part of it that is outside is drawn in strong colour. The polar
# on the right tells the same the other way round, and the point by which the condition fails is marked. The margin is
# the radius of the circle over the distance of that point.
#
# Three components, and each row with two of them.
sparse = np.array([[a, b, 0.0] for a in (-0.5, 0.5) for b in (-0.5, 0.5)])
sparse = np.concatenate([sparse, sparse[:, [0, 2, 1]], sparse[:, [2, 0, 1]]])
check = check_sdi(sparse)
print(f"part 1 {check.condition_1}, margin {check.gamma[1]:.3f}")
figure = plt.figure(figsize=(8.4, 4.8))
plotting.row_hull(sparse, check, ax=figure.add_axes((0.0, 0.0, 0.5, 0.84), projection="3d"))
plotting.polar_hull(sparse, check, ax=figure.add_axes((0.5, 0.0, 0.5, 0.84), projection="3d"))

# %%
# Over the points of a data set the Jacobian changes, and so does the margin. This mixture has 100 features of four
# components, dense rows that seldom reach the ball. They fail the condition, which is sufficient and far from
# necessary.
_, _, jacobians = make_mixture(200, 100, 4, kind="perturbed", random_state=0)
summary = summarise_sdi(jacobians, n_points=15, time_limit=20.0)
figure, ax = plt.subplots(figsize=(7, 2.8), layout="constrained")
strip = plotting.margins(summary, ax=ax)

# %%
# More than three components are seen two at a time. Where the circle leaves a hull, the condition fails; where it
# leaves none of them, it can fail all the same.
jacobian = rows(60, 6)
figure, axes = plt.subplots(1, 3, figsize=(8, 2.9), layout="constrained")
pairs = plotting.row_pairs(jacobian, check_sdi(jacobian), pairs=[(0, 1), (2, 3), (4, 5)], axes=axes)
