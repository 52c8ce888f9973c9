"""Columns of obs that a fit is told: what cannot be used is refused by its name, and nothing is written."""

import numpy as np
import pandas as pd
import pytest
from methods import QUICK

from identica import tl
from identica.single_cell.covariates import CovariateKeys, size_factors

anndata = pytest.importorskip("anndata")


@pytest.fixture(scope="module")
def adata():
    """Counts of 20 cells with columns of all kinds."""
    counts = np.random.default_rng(0).poisson(3.0, (20, 12)).astype(np.float32)
    obs = pd.DataFrame(index=[f"cell_{i}" for i in range(20)])
    obs["donor"] = pd.Categorical(np.where(np.arange(20) % 2, "b", "a"), categories=["a", "b", "unseen"])
    obs["plate"] = np.arange(20) % 3
    obs["age"] = np.linspace(20, 60, 20)
    obs["gaps"] = pd.Categorical(["a", None, "b", None] * 5)
    obs["holes"] = np.where(np.arange(20) == 7, np.nan, 1.5)
    obs["endless"] = np.where(np.arange(20) == 7, np.inf, np.arange(20.0))
    obs["one"] = "only"
    obs["same"] = 3.0
    obs["imaginary"] = np.arange(20) * 1j
    obs["barcode"] = [f"b{i}" for i in range(20)]
    obs["empty"] = np.where(np.arange(20) == 4, 0.0, 2.0)
    return anndata.AnnData(counts, obs=obs)


def test_labels_stay_labels_and_categories_that_no_cell_has_do_not_count(adata):
    found = CovariateKeys("donor", ["plate"], ("age",)).read(adata)
    assert list(found.columns) == ["donor", "plate", "age"]
    assert set(found["donor"]) == {"a", "b"}
    assert found["plate"].dtype == object
    assert found["age"].dtype == np.float64
    assert CovariateKeys("donor", np.array(["donor", "plate"])).names == ("donor", "plate")


CATEGORICAL, CONTINUOUS = "categorical_covariate_keys", "continuous_covariate_keys"
BAD_KEYS = [
    ({"batch_key": "patient"}, ValueError, "obs has no column 'patient': it has donor, plate, age"),
    ({"batch_key": ["donor"]}, TypeError, r"batch_key=\['donor'\] is not possible: give the name of one column"),
    ({"batch_key": "gaps"}, ValueError, r"obs\['gaps'\] has no value for 10 of 20 cells, the first of them 'cell_1'"),
    ({"batch_key": "one"}, ValueError, r"obs\['one'\] is 'only' for all 20 cells.*: leave it out of batch_key"),
    ({"batch_key": "barcode"}, ValueError, "has 20 different labels in 20 cells: give a column in which several"),
    ({"batch_key": "imaginary"}, ValueError, r"obs\['imaginary'\] holds complex numbers: give real numbers or labels"),
    ({CONTINUOUS: ["imaginary"]}, ValueError, "holds complex numbers"),
    ({"size_factor_key": "imaginary"}, ValueError, "holds complex numbers"),
    ({"batch_key": "age"}, ValueError, "or name it in continuous_covariate_keys"),
    ({CATEGORICAL: ["one"]}, ValueError, "leave it out of categorical_covariate_keys"),
    ({CATEGORICAL: "donor"}, TypeError, r"is one name: give a list of names, \['donor'\]"),
    ({CATEGORICAL: [3]}, TypeError, r"categorical_covariate_keys=\[3\] is not possible: give a list of names"),
    ({CATEGORICAL: ["plate"], CONTINUOUS: ["plate"]}, ValueError, "as a column of labels and as one of numbers"),
    ({CONTINUOUS: ["donor"]}, ValueError, r"obs\['donor'\] holds 'a', no number: name it in categorical"),
    ({CONTINUOUS: ["holes"]}, ValueError, r"obs\['holes'\] has no value for 1 of 20 cells.*'cell_7': leave these"),
    ({CONTINUOUS: ["endless"]}, ValueError, r"obs\['endless'\] is infinite for cell 'cell_7'"),
    ({CONTINUOUS: ["same"]}, ValueError, r"obs\['same'\] is 3 for all 20 cells, so that there is nothing to take"),
    ({"size_factor_key": "donor"}, ValueError, r"obs\['donor'\] holds 'a', no number: give size factors"),
    ({"size_factor_key": "holes"}, ValueError, r"obs\['holes'\] has no value for 1 of 20 cells"),
    ({"size_factor_key": "empty"}, ValueError, r"in 1 of 20 cells, the first 'cell_4', where it is 0: give numbers"),
    ({"size_factor_key": 3}, TypeError, "size_factor_key=3 is not possible: give the name of one column of obs"),
    ({"size_factor_key": "age", "likelihood": "gaussian"}, ValueError, "is of use for counts, and the likelihood is"),
    ({"likelihood": "nb"}, ValueError, "likelihood='nb' is not known: use one of .*negative-binomial"),
]


@pytest.mark.parametrize(("change", "kind", "message"), BAD_KEYS, ids=map(str, range(len(BAD_KEYS))))
def test_columns_that_cannot_be_used_are_refused_and_nothing_is_written(adata, change, kind, message):
    with pytest.raises(kind, match=message):
        tl.dica(adata, 2, training=QUICK, **change)
    assert "X_dica" not in adata.obsm


def test_size_factors_are_a_column_or_totals(adata):
    np.testing.assert_array_equal(size_factors(adata, None, "age"), adata.obs["age"])
    np.testing.assert_array_equal(size_factors(adata, None, None), adata.X.sum(axis=1))
