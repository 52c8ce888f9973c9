"""Decoders of three components on which the Jacobians are tried, each by a name, built from a fixed seed."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from identica.networks import Dense, frame

N_COMPONENTS = 3


def build(make: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """Build a module in float64 with generic parameters, ready to be evaluated."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = make().double().eval()
        with torch.no_grad():
            for parameter in module.parameters():
                parameter += 0.3 * torch.randn_like(parameter)
    return module


def draw(*shape: int, seed: int = 1) -> Tensor:
    """Draw standard normal numbers in float64."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Bent(nn.Linear):
    """A linear layer by name only."""

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs) ** 2


class Waves(nn.Module):
    """A forward that only its author knows."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.last = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(4, 5))

    def forward(self, latents: Tensor) -> Tensor:
        hidden = torch.sin(self.first(latents)) * latents[:, :1]
        return self.last(hidden) + latents.square().sum(-1, keepdim=True)


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(1, 4)
        self.attend = nn.MultiheadAttention(4, 2, batch_first=True)

    def forward(self, latents: Tensor) -> Tensor:
        tokens = self.embed(latents[..., None])
        return self.attend(tokens, tokens, tokens, need_weights=False)[0]


def _dense() -> nn.Module:
    encoder, decoder = Dense(hidden=(6, 4)).build(torch.eye(3, 5), seed=0)
    return frame(encoder, decoder, 3)[1]


def _hooked() -> nn.Module:
    last = nn.Linear(4, 5)
    last.register_forward_hook(lambda module, inputs, output: torch.sin(output))
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), last)


def _pre_hooked() -> nn.Module:
    decoder = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 5))
    decoder.register_forward_pre_hook(lambda module, inputs: (inputs[0] ** 2,))
    return decoder


def _patched() -> nn.Module:
    last = nn.Linear(4, 5)
    last.forward = lambda inputs: torch.sin(nn.Linear.forward(last, inputs))  # type: ignore[method-assign]
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), last)


def _convolutional(n_axes: int) -> nn.Module:
    convolution = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[n_axes - 1]
    transposed = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[n_axes - 1]
    return nn.Sequential(
        nn.Linear(3, 2 * 2**n_axes),
        nn.Unflatten(1, (2, *[2] * n_axes)),
        transposed(2, 2, 2, stride=2),
        nn.SiLU(inplace=True),
        convolution(2, 2, 3, padding=1, padding_mode="circular"),
        nn.Softplus(),
        convolution(2, 1, 2, groups=1),
    )


def _normalised(*norm: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(3, 8), nn.Unflatten(1, (4, 2)), *norm, nn.Flatten(), nn.Linear(8, 5))


DECODERS: dict[str, Callable[[], nn.Module]] = {
    "linear": lambda: nn.Linear(3, 5),
    "linear without bias": lambda: nn.Linear(3, 5, bias=False),
    "dense with a linear path": _dense,
    "nested": lambda: nn.Sequential(
        nn.Sequential(nn.Linear(3, 4), nn.Tanh()), nn.Sequential(nn.Sequential(nn.Linear(4, 5)))
    ),
    "ends in an activation": lambda: nn.Sequential(nn.Linear(3, 5), nn.Sigmoid()),
    "begins with an activation": lambda: nn.Sequential(nn.Tanh(), nn.Linear(3, 5)),
    "convolutional, 1 axis": lambda: _convolutional(1),
    "convolutional, 2 axes": lambda: _convolutional(2),
    "convolutional, 3 axes": lambda: _convolutional(3),
    "image, then linear": lambda: nn.Sequential(
        nn.Linear(3, 8), nn.Unflatten(1, (2, 2, 2)), nn.Conv2d(2, 2, 2), nn.Flatten(), nn.Linear(2, 5)
    ),
    "layer norm": lambda: _normalised(nn.LayerNorm((4, 2))),
    "layer norm without parameters": lambda: _normalised(nn.LayerNorm(2, elementwise_affine=False)),
    "group norm": lambda: _normalised(nn.GroupNorm(2, 4)),
    "instance norm": lambda: _normalised(nn.InstanceNorm1d(4, affine=True)),
    "instance norm, running": lambda: _normalised(nn.InstanceNorm1d(4, affine=True, track_running_stats=True)),
    "batch norm, evaluated": lambda: _normalised(nn.BatchNorm1d(4)),
    "root mean square norm": lambda: _normalised(nn.RMSNorm(2)),
    "gated": lambda: nn.Sequential(nn.Linear(3, 8), nn.GLU(), nn.Linear(4, 5)),
    "bilinear": lambda: nn.Sequential(nn.Linear(3, 4), nn.PReLU(), nn.Softmax(-1), nn.Linear(4, 5)),
    "attention": Attention,
    "forward of its own": Waves,
    "subclass of Linear, last": lambda: nn.Sequential(nn.Linear(3, 4), Bent(4, 5)),
    "subclass of Linear, first": lambda: nn.Sequential(Bent(3, 4), nn.Linear(4, 5)),
    "forward hook": _hooked,
    "forward pre-hook": _pre_hooked,
    "forward replaced in one layer": _patched,
    "weight norm": lambda: nn.Sequential(
        parametrizations.weight_norm(nn.Linear(3, 4)),
        nn.Tanh(),
        parametrizations.weight_norm(nn.Linear(4, 5)),
    ),
    "spectral norm": lambda: nn.Sequential(parametrizations.spectral_norm(nn.Linear(3, 4)), nn.Tanh()),
    "in place": lambda: nn.Sequential(nn.Linear(3, 6), nn.ReLU(inplace=True), nn.Linear(6, 5), nn.ELU(inplace=True)),
    "in place and without a rule": lambda: nn.Sequential(
        nn.Linear(3, 6), nn.Threshold(0.1, 0.0, inplace=True), nn.Linear(6, 5)
    ),
    "in place and first": lambda: nn.Sequential(nn.Threshold(0.1, 0.0, inplace=True), nn.Linear(3, 5)),
    "dropout, evaluated": lambda: nn.Sequential(nn.Linear(3, 6), nn.Dropout(0.5), nn.Tanh(), nn.Linear(6, 5)),
    "identity": nn.Identity,
}
