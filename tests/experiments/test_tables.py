"""Tables align, round, and leave out nothing."""

from identica.experiments import markdown_table, text_table

ROWS = [
    {"method": "pca", "r2_mean": 0.50049, "seed": 3, "seconds": 0.04},
    {"method": "dica", "r2_mean": 0.98, "seed": 12, "seconds": 31.26},
]


def test_text_puts_words_left_and_numbers_right():
    assert text_table(ROWS, ["method", "r2_mean", "seed", "seconds"]).splitlines() == [
        "method  r2_mean  seed  seconds",
        "------  -------  ----  -------",
        "pca       0.500     3      0.0",
        "dica      0.980    12     31.3",
    ]


def test_markdown_is_a_table_and_a_missing_value_an_empty_cell():
    rows = [*ROWS, {"method": "fastica"}]
    assert markdown_table(rows, ["method", "r2_mean"]).splitlines() == [
        "| method | r2_mean |",
        "| --- | ---: |",
        "| pca | 0.500 |",
        "| dica | 0.980 |",
        "| fastica |  |",
    ]
    assert markdown_table(rows, ["method", "r2_mean"], missing="–").splitlines()[1:] == [
        "| --- | ---: |",
        "| pca | 0.500 |",
        "| dica | 0.980 |",
        "| fastica | – |",
    ]
