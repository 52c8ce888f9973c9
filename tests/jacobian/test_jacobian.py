"""Jacobians, Gram matrices and their gradients against autograd, on every kind of decoder."""

import inspect
from collections.abc import Callable

import pytest
import reference
import torch
from decoders import DECODERS, N_COMPONENTS, build, draw
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from identica.jacobian import (
    gram_matrix,
    jacobian,
    jacobian_and_gram,
    jacobian_beyond,
    jacobian_by_forward_mode,
    split_last_linear,
)
from identica.jacobian.tangents import TANGENT_RULES, tangent_rule

CLOSE = {"rtol": 1e-10, "atol": 1e-10}

# How to build the layers that need arguments, and the shape of a sample that they take; the rest take any.
ARGUMENTS = {
    nn.Linear: ((6, 4), (6,)),
    nn.modules.linear.NonDynamicallyQuantizableLinear: ((6, 4), (6,)),
    nn.Conv1d: ((2, 3, 2), (2, 4)),
    nn.Conv2d: ((2, 3, 2), (2, 3, 3)),
    nn.Conv3d: ((2, 1, 2), (2, 2, 3, 2)),
    nn.ConvTranspose1d: ((2, 3, 2), (2, 4)),
    nn.ConvTranspose2d: ((2, 3, 2), (2, 2, 3)),
    nn.ConvTranspose3d: ((2, 1, 2), (2, 2, 2, 1)),
    nn.Upsample: ((None, 2, "bilinear"), (2, 2, 2)),
    nn.UpsamplingNearest2d: ((None, 2), (2, 2, 2)),
    nn.UpsamplingBilinear2d: ((None, 2), (2, 2, 2)),
    nn.PixelShuffle: ((2,), (4, 2, 1)),
    nn.AvgPool1d: ((2,), (2, 4)),
    nn.AvgPool2d: ((2,), (2, 4, 2)),
    nn.AvgPool3d: ((2,), (1, 2, 4, 2)),
    nn.ConstantPad1d: ((1, 3.0), (2, 2)),
    nn.ConstantPad2d: ((1, 3.0), (2, 2, 1)),
    nn.ConstantPad3d: ((1, 3.0), (1, 2, 1, 1)),
    nn.ZeroPad1d: ((1,), (2, 2)),
    nn.ZeroPad2d: ((1,), (2, 2, 1)),
    nn.ZeroPad3d: ((1,), (1, 2, 1, 1)),
    nn.Unflatten: ((1, (2, 3)), (6,)),
}
LAYERS = [
    layer
    for layer in vars(nn).values()
    if inspect.isclass(layer)
    and issubclass(layer, nn.Module)
    and layer.forward in TANGENT_RULES
    and not issubclass(layer, nn.modules.lazy.LazyModuleMixin)
]


@pytest.fixture(params=DECODERS)
def decoder(request: pytest.FixtureRequest) -> nn.Module:
    return build(DECODERS[request.param])


def gradients(module: nn.Module, latents: Tensor, *results: Tensor) -> list[Tensor]:
    """Differentiate a bent function of some results by the parameters and the latents."""
    variables = [latents, *(each for each in module.parameters() if each.requires_grad)]
    loss = sum((result * draw(*result.shape)).sin().sum() for result in results)
    loss = loss + 0 * latents.sum()  # so that there is a gradient of a constant result too
    found = torch.autograd.grad(loss, variables, allow_unused=True, materialize_grads=True, retain_graph=True)
    return list(found)


def expected_results(module: nn.Module, latents: Tensor) -> tuple[Tensor, Tensor]:
    # A copy each: some modules work in place. Fused attention has no second derivative.
    with sdpa_kernel(SDPBackend.MATH):
        return module(latents.clone()), reference.jacobian(lambda z: module(z.clone()), latents)


def test_jacobian_and_its_gradients_are_autograd_s(decoder: nn.Module) -> None:
    latents = draw(4, N_COMPONENTS).requires_grad_(True)
    found = jacobian(decoder, latents)
    expected = expected_results(decoder, latents)
    torch.testing.assert_close(found, expected, **CLOSE)
    torch.testing.assert_close(gradients(decoder, latents, *found), gradients(decoder, latents, *expected), **CLOSE)


def test_gram_matrix_and_its_gradients_are_autograd_s(decoder: nn.Module) -> None:
    latents = draw(4, N_COMPONENTS).requires_grad_(True)
    output, matrix = expected_results(decoder, latents)
    expected = matrix.mT @ matrix
    expected_gradients = gradients(decoder, latents, expected)
    _, matrix_beside, beside = jacobian_and_gram(decoder, latents)
    torch.testing.assert_close(matrix_beside, matrix, **CLOSE)
    features = torch.tensor([2, 0])
    output_few, matrix_few, beside_few = jacobian_and_gram(decoder, latents, features=features)
    torch.testing.assert_close(output_few, output.flatten(1)[:, features], **CLOSE)
    torch.testing.assert_close(matrix_few, matrix[:, features], **CLOSE)
    for found in (gram_matrix(decoder, latents), beside, beside_few):
        torch.testing.assert_close(found, expected, **CLOSE)
        torch.testing.assert_close(gradients(decoder, latents, found), expected_gradients, **CLOSE)


def test_a_matrix_after_the_decoder_is_multiplied_in(decoder: nn.Module) -> None:
    latents = draw(4, N_COMPONENTS).requires_grad_(True)
    _, matrix = expected_results(decoder, latents)
    outward = draw(5, matrix.shape[1])
    found, expected = jacobian_beyond(decoder, latents, outward), outward @ matrix
    torch.testing.assert_close(found, expected, **CLOSE)
    torch.testing.assert_close(gradients(decoder, latents, found), gradients(decoder, latents, expected), **CLOSE)


@pytest.mark.parametrize("kind", [list, torch.tensor])
def test_samples_of_features_and_components_are_parts_of_the_whole(
    decoder: nn.Module, kind: Callable[[list[int]], Tensor | list[int]]
) -> None:
    latents = draw(4, N_COMPONENTS).requires_grad_(True)
    features, components = [2, 0], [2, 1]
    found = jacobian(decoder, latents, features=kind(features), components=kind(components))
    output, matrix = expected_results(decoder, latents)
    expected = output.flatten(1)[:, features], matrix[:, features][:, :, components]
    torch.testing.assert_close(found, expected, **CLOSE)
    torch.testing.assert_close(gradients(decoder, latents, *found), gradients(decoder, latents, *expected), **CLOSE)


def test_forward_mode_agrees_and_works_without_gradients(decoder: nn.Module) -> None:
    latents = draw(4, N_COMPONENTS)
    _, expected = expected_results(decoder, latents)
    with torch.no_grad():
        found = jacobian(decoder, latents)[1]
        general = jacobian_by_forward_mode(lambda z: decoder(z.clone()), latents)
    assert not found.requires_grad
    assert torch.equal(latents, draw(4, N_COMPONENTS))
    torch.testing.assert_close(found, expected.detach(), **CLOSE)
    torch.testing.assert_close(general, expected.detach(), **CLOSE)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.__name__)
def test_every_rule_is_the_chain_rule(layer: type[nn.Module]) -> None:
    arguments, shape = ARGUMENTS.get(layer, ((), (6,)))
    n_inputs = torch.Size(shape).numel()

    def make() -> nn.Module:
        return nn.Sequential(
            nn.Linear(3, n_inputs),
            nn.Tanh(),
            nn.Unflatten(1, shape),
            layer(*arguments),
            nn.Flatten(),
            nn.Tanh(),
        )

    module = build(make)
    latents = (2 * draw(5, 3)).requires_grad_(True)
    found, expected = jacobian(module, latents), expected_results(module, latents)
    torch.testing.assert_close(found, expected, **CLOSE)
    torch.testing.assert_close(gradients(module, latents, *found), gradients(module, latents, *expected), **CLOSE)


def test_tangents_are_shared_until_a_layer_bends() -> None:
    """A linear decoder's Jacobian is stored once, whatever the number of samples."""
    _, matrix = jacobian(build(DECODERS["linear"]), torch.zeros(7, 3).double())
    assert matrix.shape == (7, 5, 3)
    assert matrix.stride(0) == 0


def test_a_registered_rule_is_used_for_a_subclass_of_linear() -> None:
    """The layer is not taken for a plain linear one because of its parent."""

    class Scaled(nn.Linear):
        def forward(self, inputs: Tensor) -> Tensor:
            return 2 * super().forward(inputs)

    calls = []

    @tangent_rule(Scaled)
    def _scaled(layer: Scaled, primal: Tensor, tangents: Tensor) -> tuple[Tensor, Tensor]:
        calls.append(layer)
        return layer(primal), 2 * tangents @ layer.weight.mT

    try:
        module = build(lambda: nn.Sequential(nn.Linear(3, 4), Scaled(4, 5)))
        latents = draw(2, 3)
        assert split_last_linear(module) == (module, None)
        torch.testing.assert_close(jacobian(module, latents), expected_results(module, latents), **CLOSE)
        assert calls == [module[1]]
    finally:
        del TANGENT_RULES[Scaled.forward]


@pytest.mark.parametrize("function", [jacobian, gram_matrix, jacobian_and_gram])
@pytest.mark.parametrize("shape", [(3,), (2, 3, 1)])
def test_latents_that_are_no_matrix_are_refused(function: Callable[..., object], shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=rf"{len(shape)} dimension.*reshape"):
        function(build(DECODERS["linear"]), torch.zeros(shape))
