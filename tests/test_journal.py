from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import capture_logs

from plughost.journal import Journal

journal = Journal("plughost.test")


@pytest.fixture
def unconfigured() -> Iterator[None]:
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("unconfigured")
def test_a_program_without_structlog_gets_lines_through_logging(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)

    journal.debug("plugin.stderr", line="x")
    journal.info("plugin.ready", plugin="a b", pid=7)

    assert caplog.messages == ["plugin.ready plugin='a b' pid=7"]
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("unconfigured")
def test_a_bug_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    try:
        _ = 1 // len("")
    except ZeroDivisionError:
        journal.exception("request.failed", path="/x")

    (record,) = caplog.records
    assert record.getMessage() == "request.failed path='/x'"
    assert record.exc_info is not None
    assert "ZeroDivisionError: integer division" in caplog.text


@pytest.mark.usefixtures("unconfigured")
def test_a_program_that_configured_structlog_gets_events() -> None:
    structlog.configure(processors=[])
    with capture_logs() as events:
        journal.warning("plugin.exited", plugin="a", reason="exit status 1")

    assert events == [
        {"plugin": "a", "reason": "exit status 1", "event": "plugin.exited", "log_level": "warning"}
    ]
