"""In which units features count: free of any factor, one vote for copies, none for noise."""

import pytest
import torch
from decoders import draw

from identica.criteria import row_units

N_POINTS, N_FEATURES, D = 6, 40, 3


def rows() -> torch.Tensor:
    return draw(N_POINTS, N_FEATURES, D)


ONES = torch.ones(N_FEATURES)


@pytest.mark.parametrize("aligned", [False, True])
def test_no_positive_factor_on_a_feature_changes_the_scaled_rows(aligned: bool) -> None:
    transform = draw(D, D) if aligned else None
    factors = 10 ** (6 * torch.rand(N_FEATURES, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 3)
    plain, scaled = rows(), rows() * factors[:, None]
    first = plain * row_units(plain, ONES, transform=transform)[:, None]
    second = scaled * row_units(scaled, ONES, transform=transform)[:, None]
    torch.testing.assert_close(second / second.norm(), first / first.norm(), rtol=1e-5, atol=1e-7)


def test_aligned_rows_get_a_mean_l1_norm_of_one_size() -> None:
    transform = draw(D, D)
    found = row_units(rows(), ONES, transform=transform)
    sizes = ((rows() * found[:, None]) @ transform).abs().sum(-1).mean(0)
    torch.testing.assert_close(sizes, sizes.mean().expand(N_FEATURES), rtol=1e-5, atol=0)


def test_lengths_turn_with_the_latents() -> None:
    turned = rows() @ draw(D, D)
    ratio = row_units(turned, ONES) / row_units(rows(), ONES)
    torch.testing.assert_close(ratio, ratio.mean().expand(N_FEATURES), rtol=1e-4, atol=0)


@pytest.mark.parametrize("own", [False, True])
def test_copies_share_one_vote_in_any_units(own: bool) -> None:
    once = rows()
    many = torch.cat([once, once[:, :1] * torch.tensor([3.0, 0.1, 1.0])[None, :, None]], dim=1)
    sizes = torch.ones(N_FEATURES), torch.ones(N_FEATURES + 3)
    plain = row_units(once, ONES, own=sizes[0] if own else None)
    shared = row_units(many, torch.ones(N_FEATURES + 3), own=sizes[1] if own else None)
    scaled = many * shared[:, None]
    copies = torch.cat([scaled[:, :1], scaled[:, N_FEATURES:]], dim=1).norm(dim=-1).mean(0)
    alone = (once * plain[:, None]).norm(dim=-1).mean(0)
    others = scaled[:, 1:N_FEATURES].norm(dim=-1).mean(0) / alone[1:]
    if not own:  # of one length, and together as long as the one was
        torch.testing.assert_close(copies, copies.mean().expand(4), rtol=0.05, atol=0)
        assert float(copies.sum() / alone[0]) == pytest.approx(float(others.mean()), rel=0.1)
    assert float(others.std() / others.mean()) < 0.05


def test_what_the_model_does_not_explain_has_no_vote() -> None:
    explained = ONES.clone()
    explained[3], explained[4], explained[5] = 0.0, -0.2, 0.5
    found = row_units(rows(), explained)
    assert found[3] == found[4] == 0
    full = row_units(rows(), ONES)
    assert float(found[5] / found[6]) == pytest.approx(0.5 * float(full[5] / full[6]), rel=0.2)


def test_own_units_stay_as_they_are() -> None:
    own = torch.linspace(0.3, 3, N_FEATURES, dtype=torch.float64)
    found = row_units(rows(), ONES, own=own)
    torch.testing.assert_close(found / found[0], (own / own[0]).float())


def test_without_anything_explained_all_units_are_one() -> None:
    assert row_units(rows(), torch.zeros(N_FEATURES)).tolist() == [1.0] * N_FEATURES
