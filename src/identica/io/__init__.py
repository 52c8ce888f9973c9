"""Tables in, files out: every file is read strictly and written whole or not at all."""

from identica.io.auxiliary import Auxiliary
from identica.io.errors import DataError
from identica.io.files import (
    atomic_path,
    atomic_write,
    check_output_file,
    output_directory,
    prepare_output_dir,
    refuse_to_overwrite,
    remove_leftovers,
    write_together,
)
from identica.io.reading import ENDINGS, read_table
from identica.io.table import Table
from identica.io.writing import (
    TABLE_ENDINGS,
    check_table_file,
    without_formulas,
    write_csv,
    write_json,
    write_npy,
    write_records,
    write_table,
)

__all__ = [
    "ENDINGS",
    "TABLE_ENDINGS",
    "Auxiliary",
    "DataError",
    "Table",
    "atomic_path",
    "atomic_write",
    "check_output_file",
    "check_table_file",
    "output_directory",
    "prepare_output_dir",
    "read_table",
    "refuse_to_overwrite",
    "remove_leftovers",
    "without_formulas",
    "write_csv",
    "write_json",
    "write_npy",
    "write_records",
    "write_table",
    "write_together",
]
