"""What must not change the answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from influence_cases import on_sphere, two_sparse

from identica.trust.sdi import check_sdi, local_identifiability

SEEDS = st.integers(0, 10**6)
quick = settings(deadline=None, max_examples=25)


def instance(generator):
    m = int(generator.integers(7, 60))
    return on_sphere(generator, m, 3) if generator.random() < 0.5 else two_sparse(generator, m + 20, 3)


def same(first, second):
    assert first.gamma == pytest.approx(second.gamma, abs=1e-7)
    assert (first.condition_1, first.condition_2) == (second.condition_1, second.condition_2)
    assert first.count_bound == pytest.approx(second.count_bound)


@quick
@given(SEEDS, st.booleans())
def test_order_and_repetition_of_rows(seed, symmetric):
    generator = np.random.default_rng(seed)
    jacobian = instance(generator)
    changed = np.concatenate([jacobian, jacobian[:5], np.zeros((2, 3))])
    changed = changed[generator.permutation(len(changed))]
    same(check_sdi(jacobian, symmetric=symmetric), check_sdi(changed, symmetric=symmetric))


@quick
@given(SEEDS, st.booleans())
def test_scale_sign_and_order_of_columns(seed, symmetric):
    generator = np.random.default_rng(seed)
    jacobian = instance(generator)
    scales = 10 ** generator.uniform(-5, 5, size=3) * generator.choice([-1, 1], size=3)
    changed = (jacobian * scales)[:, generator.permutation(3)]
    same(check_sdi(jacobian, symmetric=symmetric), check_sdi(changed, symmetric=symmetric))
    first, second = local_identifiability(jacobian), local_identifiability(changed)
    assert first.identifiable == second.identifiable
    assert first.residual == pytest.approx(second.residual, abs=1e-6)


@quick
@given(SEEDS)
def test_the_symmetric_condition_is_that_of_rows_and_their_negatives(seed):
    jacobian = instance(np.random.default_rng(seed))
    both, symmetric = check_sdi(np.concatenate([jacobian, -jacobian])), check_sdi(jacobian, symmetric=True)
    assert both.gamma == pytest.approx(symmetric.gamma, abs=1e-7)
    assert both.condition_2 == symmetric.condition_2
    # It is the weaker one.
    assert check_sdi(jacobian).gamma[0] <= symmetric.gamma[1] + 1e-7


@quick
@given(SEEDS)
def test_the_margin_is_continuous(seed):
    generator = np.random.default_rng(seed)
    jacobian = instance(generator)
    noisy = jacobian + 1e-7 * generator.standard_normal(jacobian.shape)
    assert check_sdi(jacobian).gamma == pytest.approx(check_sdi(noisy).gamma, abs=1e-5)


def test_rows_over_ten_decades():
    generator = np.random.default_rng(0)
    jacobian = np.concatenate([two_sparse(generator, 60, 3), on_sphere(generator, 60, 3)])
    small = np.concatenate([jacobian, jacobian * 10 ** generator.uniform(-10, 0, size=(120, 1))])
    same(check_sdi(jacobian), check_sdi(small))
