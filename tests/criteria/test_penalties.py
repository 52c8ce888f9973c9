"""Penalties: their values, their schedules, their limits, and gradients that reach every parameter."""

import math
from collections.abc import Callable

import pytest
import reference
import torch
from decoders import build, draw
from torch import Tensor, nn

from identica.criteria import JacobianSample, Penalty, Sparsity, Volume
from identica.criteria import JointPenalty as Joint
from identica.likelihoods import Gaussian
from identica.networks import Dense, frame
from identica.solvers.refinement import Refinement
from identica.training.objective import Objective

N_FEATURES, N_COMPONENTS = 7, 3
WHOLE = JacobianSample(n_samples=100, n_features=N_FEATURES)
PENALTIES = {
    "volume": lambda weight, sample=WHOLE: Refinement(sample, Volume(3.0), weight, 10, last=0.1),
    "sparsity": lambda weight, sample=WHOLE: Sparsity(sample, weight),
    "joint, log det": lambda weight, sample=WHOLE: Joint(sample, weight, weight, 20, "logdet"),
    "joint, trace": lambda weight, sample=WHOLE: Joint(sample, weight, weight, 20, "trace"),
}


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def networks() -> tuple[nn.Module, nn.Module]:
    def make() -> nn.Module:
        pair = Dense(hidden=(6, 5)).build(torch.eye(N_COMPONENTS, N_FEATURES), seed=0)
        return nn.ModuleList(frame(*pair, N_COMPONENTS))

    encoder, decoder = build(make)  # type: ignore[misc]
    return encoder, decoder


def jacobians(encoder: nn.Module, decoder: nn.Module, inputs: Tensor) -> Tensor:
    return reference.jacobian(decoder, encoder(inputs)).detach()


@pytest.mark.parametrize("name", PENALTIES)
def test_every_parameter_gets_a_gradient(name: str) -> None:
    encoder, decoder = networks()
    inputs = draw(9, N_FEATURES)
    penalty = PENALTIES[name](0.5)
    penalty(encoder, decoder, inputs, encoder(inputs), generator()).total.backward()
    # An offset moves no Jacobian; all else that is trained does.
    assert decoder[1][-1].bias.grad is None
    for side, module in (("encoder", encoder), ("decoder", decoder)):
        for parameter_name, parameter in module.named_parameters():
            if parameter.requires_grad and parameter is not decoder[1][-1].bias:
                assert parameter.grad is not None, (side, parameter_name)
                assert bool((parameter.grad != 0).any()), (side, parameter_name)


@pytest.mark.parametrize("name", PENALTIES)
def test_objective_is_the_unexplained_share_plus_the_penalty(name: str) -> None:
    encoder, decoder = networks()
    batch, few = draw(9, N_FEATURES), draw(9, N_FEATURES)[:4]
    sample = JacobianSample(n_samples=4, n_features=3)
    penalty = PENALTIES[name](0.5, sample)
    loss = Objective(encoder, decoder, Gaussian(2.5 * N_FEATURES), penalty)(batch, generator())
    unexplained = ((decoder(encoder(batch)) - batch) ** 2).sum() / (9 * N_FEATURES * 2.5)
    extra = penalty(encoder, decoder, few, encoder(few), generator())
    assert loss.total.item() == pytest.approx((unexplained + extra.total).item(), rel=1e-10)
    assert loss.terms.keys() == {"reconstruction"} | extra.terms.keys()
    assert float(loss.terms["reconstruction"]) == pytest.approx(unexplained.item(), rel=1e-10)
    assert not any(term.requires_grad for term in loss.terms.values())


@pytest.mark.parametrize("name", PENALTIES)
def test_weight_zero_is_the_plain_autoencoder(name: str) -> None:
    encoder, decoder = networks()
    batch = draw(9, N_FEATURES)
    parameters = [each for each in (*encoder.parameters(), *decoder.parameters()) if each.requires_grad]
    plain = Objective(encoder, decoder, Gaussian(2.0))(batch, generator()).total
    zero = Objective(encoder, decoder, Gaussian(2.0), PENALTIES[name](0.0))(batch, generator()).total
    assert torch.equal(plain, zero)
    torch.testing.assert_close(
        torch.autograd.grad(zero, parameters), torch.autograd.grad(plain, parameters), rtol=0, atol=0
    )


@pytest.mark.parametrize("p", [0, 1, 3, math.inf])
def test_volume_is_the_mean_criterion(p: float) -> None:
    encoder, decoder = networks()
    inputs = draw(5, N_FEATURES)
    loss = Refinement(WHOLE, Volume(p), 0.3, 10, last=0.1)(encoder, decoder, inputs, encoder(inputs), generator())
    criteria = [reference.volume_criterion(matrix, p) for matrix in jacobians(encoder, decoder, inputs)]
    assert float(loss.terms["criterion"]) == pytest.approx(sum(criteria) / 5, rel=1e-10)
    assert loss.total.item() == pytest.approx(-0.3 * sum(criteria) / 5, rel=1e-10)


def test_sparsity_is_the_mean_norm_of_a_row() -> None:
    encoder, decoder = networks()
    inputs = draw(5, N_FEATURES)
    loss = Sparsity(WHOLE, 0.3)(encoder, decoder, inputs, encoder(inputs), generator())
    total = sum(sum(reference.row_norms(matrix)) for matrix in jacobians(encoder, decoder, inputs)) / 5
    expected = total / (N_FEATURES * N_COMPONENTS**0.5)
    assert float(loss.terms["norm"]) == pytest.approx(expected, rel=1e-10)
    assert loss.total.item() == pytest.approx(0.3 * expected, rel=1e-10)


def test_a_sample_of_rows_is_unbiased() -> None:
    encoder, decoder = networks()
    inputs = draw(2, N_FEATURES)
    few = JacobianSample(n_samples=100, n_features=1)
    source = generator()
    drawn = {int(few.features(N_FEATURES, source)): None for _ in range(100)}  # type: ignore[arg-type]
    assert sorted(drawn) == list(range(N_FEATURES))
    per_row = {}
    for seed in range(60):
        row = int(few.features(N_FEATURES, torch.Generator().manual_seed(seed)))  # type: ignore[arg-type]
        penalty = Sparsity(few, 1.0)
        source = torch.Generator().manual_seed(seed)
        per_row[row] = penalty(encoder, decoder, inputs, encoder(inputs), source).total.item()
    whole = Sparsity(WHOLE, 1.0)(encoder, decoder, inputs, encoder(inputs), source).total.item()
    assert len(per_row) == N_FEATURES
    assert sum(per_row.values()) / N_FEATURES == pytest.approx(whole, rel=1e-10)


def test_rows_are_drawn_without_replacement_and_only_where_there_are_more() -> None:
    sample = JacobianSample(n_samples=1, n_features=5)
    assert sample.features(5, generator()) is None
    rows = sample.features(8, generator())
    assert rows is not None
    assert len(set(rows.tolist())) == 5
    assert set(rows.tolist()) < set(range(8))


def test_volume_weight_is_held_then_falls_geometrically_then_rests() -> None:
    penalty = Refinement(WHOLE, Volume(3.0), 4.0, n_epochs=1000, last=1 / 75)
    weights = []
    for epoch in range(1000):
        penalty.begin_epoch(epoch)
        weights.append(penalty.weight)
    start, end = round(1000 * Refinement.hold), round(1000 * Refinement.rest)
    assert weights[: start + 1] == pytest.approx([4.0] * (start + 1))
    assert weights[end:] == pytest.approx([4.0 * penalty.last] * (1000 - end))
    ratios = [after / before for before, after in zip(weights[start:end], weights[start + 1 : end + 1], strict=True)]
    assert ratios == pytest.approx([penalty.last ** (1 / (end - start))] * (end - start))


def joint_by_hand(
    matrices: Tensor, *, volume_weight: float, norm_weight: float, ramp: float, bound: float | None
) -> float:
    """Equation (8) without the reconstruction, with the weights per component and per feature."""
    n, m, d = matrices.shape
    volume = float(sum(reference.log_volume(matrix) for matrix in matrices)) / n
    norm = sum(sum(reference.row_norms(matrix)) for matrix in matrices) / n
    penalised = norm if bound is None else math.log1p(math.exp(norm - bound))
    return -ramp * volume_weight / (2 * d) * volume + norm_weight / m * penalised


@pytest.mark.parametrize("warmup_epochs", [1, 4, 25])
def test_joint_follows_both_schedules_of_equation_8(warmup_epochs: int) -> None:
    encoder, decoder = networks()
    inputs = draw(5, N_FEATURES)
    matrices = jacobians(encoder, decoder, inputs)
    penalty = Joint(WHOLE, 0.3, 0.2, warmup_epochs, "logdet")
    norms = []
    for epoch in range(warmup_epochs + 3):
        penalty.begin_epoch(epoch)
        settled = epoch >= warmup_epochs
        assert penalty.settled == settled
        bound = sum(norms[-10:]) / len(norms[-10:]) * N_FEATURES if settled else None
        loss = penalty(encoder, decoder, inputs, encoder(inputs), generator())
        expected = joint_by_hand(
            matrices,
            volume_weight=0.3,
            norm_weight=0.2,
            ramp=min(epoch + 1, warmup_epochs) / warmup_epochs,
            bound=bound,
        )
        assert loss.total.item() == pytest.approx(expected, rel=1e-9)
        # The networks stand still here; the epochs' means do not, as in training.
        norm = float(loss.terms["norm"]) * (1 + 0.01 * (epoch % 7))
        penalty.end_epoch({"volume": float(loss.terms["volume"]), "norm": norm})
        if not settled:
            norms.append(norm)
    assert float(penalty.bound) == pytest.approx(sum(norms[-10:]) / len(norms[-10:]))


def test_the_bound_outlasts_an_interruption() -> None:
    first = Joint(WHOLE, 0.3, 0.2, 2, "logdet")
    first.begin_epoch(0)
    first.end_epoch({"norm": 4.0})
    second = Joint(WHOLE, 0.3, 0.2, 2, "logdet")
    second.load_state_dict(first.state_dict())
    second.begin_epoch(1)
    second.end_epoch({"norm": 5.0})
    assert float(second.bound) == 4.5


def test_joint_trace_counts_norms_of_a_sample_of_rows_alike() -> None:
    """The norm is per row, so that a sample of rows is on the scale of the bound."""
    encoder, decoder = networks()
    inputs = draw(5, N_FEATURES)
    few = JacobianSample(n_samples=100, n_features=1)
    norms: dict[int, float] = {}
    for seed in range(60):
        row = int(few.features(N_FEATURES, torch.Generator().manual_seed(seed)))  # type: ignore[arg-type]
        penalty = Joint(few, 0.0, 1.0, 5, "trace")
        loss = penalty(encoder, decoder, inputs, encoder(inputs), torch.Generator().manual_seed(seed))
        norms[row] = float(loss.terms["norm"])
    whole = Joint(WHOLE, 0.0, 1.0, 5, "trace")(encoder, decoder, inputs, encoder(inputs), generator())
    assert sum(norms.values()) / N_FEATURES == pytest.approx(float(whole.terms["norm"]), rel=1e-10)


class Bending(nn.Module):
    """sinh(A z)."""

    def __init__(self, matrix: Tensor) -> None:
        super().__init__()
        self.matrix = nn.Parameter(matrix)

    def forward(self, latents: Tensor) -> Tensor:
        return torch.sinh(latents @ self.matrix.T)


class Unbending(Bending):
    """Its left inverse."""

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.asinh(inputs) @ torch.linalg.pinv(self.matrix).T


def linear_pair(matrix: Tensor) -> tuple[nn.Module, nn.Module]:
    shape = matrix.shape
    encoder = build(lambda: nn.Linear(*shape, bias=False))
    decoder = build(lambda: nn.Linear(*shape[::-1], bias=False))
    encoder.weight, decoder.weight = nn.Parameter(torch.linalg.pinv(matrix)), nn.Parameter(matrix)
    return encoder, decoder


@pytest.mark.parametrize(
    ("shape", "pair"),
    [((5, 3), linear_pair), ((3, 3), lambda matrix: (Unbending(matrix.clone()), Bending(matrix)))],
    ids=["linear", "bent"],
)
def test_trace_surrogate_has_the_gradient_of_the_volume(
    shape: tuple[int, int], pair: Callable[[Tensor], tuple[nn.Module, nn.Module]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Averaged over probes along every axis, which is exact, where the encoder inverts the decoder."""
    encoder, decoder = pair(draw(*shape))
    d = shape[1]
    inputs = decoder(draw(4, d)).detach().repeat_interleave(d, dim=0)
    parameters = [*encoder.parameters(), *decoder.parameters()]

    def probes(size: torch.Size, **_: object) -> Tensor:
        assert tuple(size) == (4 * d, d)
        return d**0.5 * torch.eye(d, dtype=torch.float64).repeat(4, 1)

    def gradients(penalty: Penalty) -> tuple[Tensor, ...]:
        total = penalty(encoder, decoder, inputs, encoder(inputs), generator()).total
        return torch.autograd.grad(total, parameters, allow_unused=True, materialize_grads=True)

    sample = JacobianSample(n_samples=100, n_features=shape[0])
    expected = gradients(Joint(sample, 1.0, 0.0, 0, "logdet"))
    monkeypatch.setattr(torch, "randn", probes)
    found = gradients(Joint(sample, 1.0, 0.0, 0, "trace"))
    assert max(float(gradient.abs().max()) for gradient in expected) > 0.1
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


def test_trace_surrogate_is_right_for_decoders_with_layer_norm() -> None:
    """PyTorch's own forward mode has wrong gradients there."""
    matrix = draw(4, 3)
    encoder, _ = linear_pair(matrix)
    decoder = build(lambda: nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4)))
    inputs = draw(6, 4)
    parameters = [each for name, each in decoder.named_parameters() if name != "1.bias"]
    found = torch.autograd.grad(
        Joint(WHOLE, 6.0, 0.0, 0, "trace")(encoder, decoder, inputs, encoder(inputs), generator()).total,
        parameters,
        allow_unused=True,
    )
    probe = torch.randn(6, 3, generator=generator(), dtype=torch.float64)
    jacobian = reference.jacobian(decoder, encoder(inputs))
    pulled = probe @ encoder.weight.detach()
    surrogate = 2 * torch.einsum("nm,nmd,nd->n", pulled, jacobian, probe).mean()
    expected = torch.autograd.grad(-surrogate, parameters, allow_unused=True)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
