"""Logs are JSON without secrets; metrics render in the format of Prometheus."""

from __future__ import annotations

import json

import pytest

from passerelle.telemetry import ACCEPTED, BATCH_SIZE, MASKED, Event, configure, log, render


def test_a_line_is_json_on_standard_error_and_masks_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info")
    log(Event.BIND_LOST, carrier="orange", **dict.fromkeys(MASKED, "s3cret"))
    printed = capsys.readouterr()
    line = json.loads(printed.err)
    assert (line["event"], line["level"], line["carrier"]) == ("bind_lost", "warning", "orange")
    assert "s3cret" not in printed.err
    assert printed.out == ""


def test_lower_levels_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure("error")
    log(Event.STARTED)
    log(Event.WORKER_FAILED)
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["worker_failed"]


def test_an_exception_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info")
    try:
        raise KeyError("lost")
    except KeyError:
        log(Event.WORKER_FAILED, exc_info=True)
    assert "KeyError: 'lost'" in json.loads(capsys.readouterr().err)["exception"]


def test_metrics_render() -> None:
    ACCEPTED.labels("of this test").inc(3)
    BATCH_SIZE.labels("of this test").observe(7)
    text = render().decode()
    assert 'passerelle_messages_accepted_total{dialect="of this test"} 3.0' in text
    assert 'passerelle_batch_size_bucket{le="10.0",stage="of this test"} 1.0' in text
