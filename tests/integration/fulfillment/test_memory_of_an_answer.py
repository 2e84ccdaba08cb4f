"""However many rows a person has, making their answer takes no more memory than a few of them."""

from bench.answer import measured

MOST_MORE_MB = 25
"""What the buffers of sealing, deflating and the first thousand rows take; 40,000 rows held whole would be 60 MB."""


def test_forty_thousand_rows_take_little_more_memory_than_one() -> None:
    one, many = measured(1), measured(40_000)

    assert many["rows"] == 40_000
    assert many["peak_mb"] - one["peak_mb"] < MOST_MORE_MB
    assert many["peak_mb"] < 200
