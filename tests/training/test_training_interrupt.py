import signal
import threading

import pytest
from lstm_training.trainer.signals import graceful_shutdown

pytestmark = pytest.mark.slow  # each test trains


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_acts(number: signal.Signals) -> None:
    def act(*_: object) -> None:
        raise InterruptedError

    before = signal.signal(number, act)
    try:
        with graceful_shutdown() as stop:
            assert not stop.asked
            signal.raise_signal(number)
            assert stop.asked
            with pytest.raises(InterruptedError):
                signal.raise_signal(number)
        assert signal.getsignal(number) is act
    finally:
        signal.signal(number, before)


def test_signals_act_at_once_where_they_are_not_deferred() -> None:
    with graceful_shutdown(enabled=False), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_outside_the_main_thread_signals_are_left_alone() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def body() -> None:
        with graceful_shutdown() as stop:
            seen.append((signal.getsignal(signal.SIGINT), stop.asked))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert seen == [(before, False)]
