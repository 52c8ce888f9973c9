"""The contrast of independent mechanism analysis: Hadamard's inequality, its invariances, and a fit by it."""

import pytest
import torch
from decoders import draw

from identica import DICA, Staged, Training, load
from identica.criteria import IndependentMechanism, LocalGeometry, independent_mechanism_contrast
from identica.datasets import make_mixture


def contrast(matrix: torch.Tensor) -> torch.Tensor:
    local = LocalGeometry.of(matrix)
    return independent_mechanism_contrast(local.column_squares, local.log_volume)


def test_it_is_the_textbook_s() -> None:
    matrices = draw(4, 9, 3)
    expected = [float(J.norm(dim=0).log().sum() - torch.logdet(J.T @ J) / 2) for J in matrices]
    assert contrast(matrices).tolist() == pytest.approx(expected, rel=1e-10)
    assert (contrast(matrices) > 0).all()


def test_it_is_zero_where_columns_are_orthogonal_and_ignores_their_lengths() -> None:
    orthogonal = torch.linalg.qr(draw(4, 9, 3))[0]
    scales = torch.tensor([0.1, 1.0, 30.0], dtype=torch.float64)
    torch.testing.assert_close(contrast(orthogonal * scales), torch.zeros(4, dtype=torch.float64), atol=1e-10, rtol=0)
    matrices = draw(4, 9, 3)
    torch.testing.assert_close(contrast(matrices * scales), contrast(matrices))


def test_the_criterion_is_minus_its_mean_per_component() -> None:
    matrices = draw(4, 9, 3)
    found = IndependentMechanism().value(LocalGeometry.of(matrices))
    assert float(found) == pytest.approx(-float(contrast(matrices).mean()) / 3)


def test_gradients_are_those_of_differences() -> None:
    matrices = draw(2, 7, 3).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda J: IndependentMechanism().value(LocalGeometry.of(J)), matrices)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_solver_takes_it_and_makes_columns_more_orthogonal(tmp_path) -> None:
    X = make_mixture(600, 30, 3, correlation=0.5, random_state=0).X
    training = Training(max_steps=300)
    plain = DICA(3, n_init=1, solver=Staged(weight=0.0, restarts=1), training=training, random_state=0).fit(X)
    ours = DICA(3, n_init=1, criterion=IndependentMechanism(), training=training, random_state=0).fit(X)

    def mean_contrast(fitted: DICA) -> float:
        return float(contrast(torch.as_tensor(fitted.jacobian(X[:50]) / fitted.scale_[:, None])).mean())

    assert mean_contrast(ours) < 0.5 * mean_contrast(plain)
    ours.save(tmp_path / "model.safetensors")
    assert load(tmp_path / "model.safetensors").criterion == IndependentMechanism()
