"""What libraries log says where and what kind; an exception's text may repeat a person's data, and is left out."""

import logging

from shared.telemetry.logs import WordsOfOurs


def test_a_library_that_logs_an_exception_logs_its_kind_and_not_its_text() -> None:
    error = ValueError("ada@example.com is not served")
    caught = (ValueError, error, None)
    record = logging.LogRecord(
        "uvicorn.error", logging.ERROR, __file__, 1, "failed for %s", ("ada@example.com",), caught
    )

    assert WordsOfOurs().format(record) == "ERROR uvicorn.error ValueError"
