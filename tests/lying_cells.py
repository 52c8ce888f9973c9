"""What tests of lying files of cells share."""

import numpy as np
import pytest

from identica.io import DataError, read_table

VALUES = np.random.default_rng(0).random((60, 20)).astype(np.float32)
ENCODING = {"encoding-type": "array", "encoding-version": "0.2.0"}


def refused(path, *said, **options):
    """Read a file that must not be read, and see that the words are said."""
    with pytest.raises(DataError) as caught:
        read_table(path, **options)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert all(each in message for each in said), message
