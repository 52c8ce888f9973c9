"""What the methods that know u train by: textbook values, gradients, and no way from one component to another."""

import math

import pytest
import torch
from decoders import draw
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence

from identica import Contrastive
from identica.criteria import JacobianSample
from identica.solvers.conditional import OfContext, PerComponent
from identica.solvers.contrastive import Contrast
from identica.solvers.variational import LEAST_NOISE, ConditionalBound

N, D, N_FEATURES = 12, 2, 5
ENCODER, DECODER = (nn.Linear(N_FEATURES, D).double(), nn.Linear(D, N_FEATURES).double())
LABELS = torch.eye(3).double()[torch.arange(N) % 3]
NUMBERS = draw(N, 2, seed=4)
WHOLE = JacobianSample(4, N_FEATURES)


@pytest.fixture(autouse=True)
def known_networks() -> None:
    with torch.no_grad():
        for seed, module in enumerate((ENCODER, DECODER)):
            module.weight.copy_(draw(*module.weight.shape, seed=seed))
            module.bias.copy_(draw(*module.bias.shape, seed=seed))


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def contrast(context: Tensor, weight: float = 1.0) -> Contrast:
    labelled = context is LABELS
    return Contrast(WHOLE, D, context.shape[1], labelled, weight, 4, generator()).double()


def bound(context: Tensor) -> ConditionalBound:
    return ConditionalBound(WHOLE, N_FEATURES, D, context.shape[1], context is LABELS, 4.0, generator()).double()


@pytest.mark.parametrize("context", [LABELS, NUMBERS], ids=["label", "numbers"])
@pytest.mark.parametrize("make", [contrast, bound])
def test_every_parameter_gets_a_gradient_and_it_is_that_of_differences(make, context: Tensor) -> None:
    penalty, batch = make(context), draw(N, N_FEATURES)

    def loss(latents: Tensor) -> Tensor:
        return penalty.of_batch(ENCODER, DECODER, batch, latents, context, generator()).total

    assert torch.autograd.gradcheck(loss, draw(N, D).requires_grad_(True))
    loss(draw(N, D)).backward()
    for name, parameter in penalty.named_parameters():
        # The offset of a score is the same for all candidates.
        if name != "offset.last.bias":
            assert bool((parameter.grad != 0).any()), name


@pytest.mark.parametrize("context", [LABELS, NUMBERS], ids=["label", "numbers"])
@pytest.mark.parametrize("make", [contrast, bound])
def test_without_u_they_refuse(make, context: Tensor) -> None:
    penalty, batch = make(context), draw(N, N_FEATURES)
    with pytest.raises(ValueError, match=r"no auxiliary variable was given: call fit\(X, u\)"):
        penalty(ENCODER, DECODER, batch, draw(N, D), generator())


def test_the_contrast_is_the_cross_entropy_of_sums_over_components() -> None:
    penalty, latents = contrast(LABELS, 0.5), draw(N, D)
    scores = penalty.functions(latents).flatten(1) @ penalty.factors(torch.eye(3).double()).T
    scores = scores + penalty.offset(torch.eye(3).double()).T
    expected = -sum(float(scores[n].detach().log_softmax(0)[n % 3]) for n in range(N)) / N / math.log(3)
    found = penalty.of_batch(ENCODER, DECODER, draw(N, N_FEATURES), latents, LABELS, generator())
    assert float(found.terms["contrast"]) == pytest.approx(expected, rel=1e-10)
    assert float(found.total.detach()) == pytest.approx(0.5 * expected, rel=1e-10)


def test_of_numbers_the_own_is_told_from_the_others_of_the_batch() -> None:
    penalty, latents = contrast(NUMBERS), draw(N, D)
    factors, offset = penalty.factors(NUMBERS), penalty.offset(NUMBERS).squeeze(1)
    # All others of a small batch are candidates: row n against every u.
    scores = penalty.functions(latents).flatten(1) @ factors.T + offset
    expected = -float(scores.log_softmax(1).diagonal().mean().detach()) / math.log(N)
    found = penalty.of_batch(ENCODER, DECODER, draw(N, N_FEATURES), latents, NUMBERS, generator())
    assert float(found.terms["contrast"]) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("context", [LABELS, NUMBERS], ids=["label", "numbers"])
def test_where_scores_do_not_depend_on_u_the_contrast_is_at_chance(context: Tensor) -> None:
    penalty = contrast(context)
    with torch.no_grad():
        for layer in (penalty.factors.last, penalty.offset.last):
            layer.weight.zero_()
            layer.bias.zero_()
    found = penalty.of_batch(ENCODER, DECODER, draw(N, N_FEATURES), draw(N, D), context, generator())
    assert float(found.total.detach()) == pytest.approx(1.0)


def test_scores_are_sums_over_components() -> None:
    """r(x, u) has no mixed difference in two components: what the theory rests on."""
    penalty, context = contrast(NUMBERS), NUMBERS[:1]

    def score(first: float, second: float) -> float:
        latents = torch.tensor([[first, second]]).double()
        return float((penalty.functions(latents).flatten(1) * penalty.factors(context)).sum().detach())

    assert abs(score(0, 0) - score(0, 2) - score(1, 0) + score(1, 2)) < 1e-12
    assert abs(score(0, 0) - score(1, 0)) > 1e-3


def test_functions_of_a_component_look_at_no_other() -> None:
    functions = PerComponent(3, generator(), 4).double()
    latents = draw(4, 3)
    moved = latents.clone()
    moved[:, 1] += 1
    changed = (functions(latents) != functions(moved)).any(-1)
    assert changed.tolist() == [[False, True, False]] * 4


def test_a_function_of_a_label_is_a_table() -> None:
    table = OfContext(3, 4, True, generator()).double()
    torch.testing.assert_close(table(LABELS), (table.last.weight.T + table.last.bias)[torch.arange(N) % 3])


@pytest.mark.parametrize("context", [LABELS, NUMBERS], ids=["label", "numbers"])
def test_the_bound_is_that_of_torch_s_distributions(context: Tensor) -> None:
    penalty, batch, latents = bound(context), draw(N, N_FEATURES), draw(N, D)
    posterior = Normal(latents, (penalty.log_variance(nn.functional.silu(penalty.hidden(batch))) / 2).exp())
    prior = Normal(penalty.prior_mean(context), (penalty.prior_log_variance(context) / 2).exp())
    noise = torch.randn(latents.shape, generator=generator(), dtype=latents.dtype)
    # Features in the unit in which their mean variance is 1.
    unit = (4.0 / N_FEATURES) ** 0.5
    decoded = Normal(
        DECODER(posterior.mean + posterior.stddev * noise) / unit, (penalty.log_noise.exp() + LEAST_NOISE).sqrt()
    )
    likelihood = decoded.log_prob(batch / unit).sum(1)
    expected = (likelihood - kl_divergence(posterior, prior).sum(1)).mean() / N_FEATURES
    found = penalty.of_batch(ENCODER, DECODER, batch, latents, context, generator())
    torch.testing.assert_close(found.total, -expected)
    torch.testing.assert_close(found.terms["divergence"], kl_divergence(posterior, prior).sum(1).mean().detach())


@pytest.mark.parametrize(("weight", "error"), [(-0.1, ValueError), ("much", TypeError), (math.nan, ValueError)])
def test_a_weight_is_a_number_of_at_least_zero(weight: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="weight="):
        Contrastive(weight)  # type: ignore[arg-type]
