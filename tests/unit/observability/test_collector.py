"""The garbage collector, as the loop sets it."""

from __future__ import annotations

import gc
import weakref

import pytest

from processors.observability.collector import YOUNG, collector_eased, collector_paused, freeze_again


class Circle:
    """Garbage that no count of references finds."""

    def __init__(self) -> None:
        self.itself = self


def test_the_collector_is_eased_while_batches_are_handled_and_as_before_afterwards() -> None:
    before = gc.get_threshold()
    with collector_eased():
        assert gc.get_threshold()[0] == YOUNG
        assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_the_collector_is_as_before_after_a_failure() -> None:
    before = gc.get_threshold()
    with pytest.raises(ZeroDivisionError), collector_eased():
        _ = 1 / 0
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)


def test_what_was_kept_and_is_garbage_by_now_goes_when_something_else_is_kept() -> None:
    circle = Circle()
    gone = weakref.ref(circle)
    with collector_eased():
        del circle
        gc.collect()
        assert gone() is not None, "what was there at the beginning is not looked at"
        freeze_again()
        assert gone() is None


def test_a_pause_ends_with_what_was_read() -> None:
    with collector_paused():
        assert not gc.isenabled()
    assert gc.isenabled()
