"""Delays between connections."""

from random import Random

from gated.devices.backoff import Backoff

SEEDS = range(200)


def test_grows_from_a_tenth_of_a_second_to_the_ceiling() -> None:
    def largest(attempt: int) -> float:
        return max(
            [backoff.after_refusal() for _ in range(attempt + 1)][-1]
            for backoff in (Backoff(Random(seed), 5.0) for seed in SEEDS)
        )

    assert 0.08 < largest(0) <= 0.1
    assert 0.7 < largest(3) <= 0.8
    assert 4.5 < largest(10) <= 5.0


def test_does_not_overflow() -> None:
    backoff = Backoff(Random(1), 5.0)
    assert all(0 <= backoff.after_refusal() <= 5.0 for _ in range(5_000))


def test_only_a_link_that_lasted_forgives() -> None:
    backoff = Backoff(Random(1), 5.0)
    for _ in range(5):
        backoff.after_loss(0.5, taken_over=False)
    assert backoff.attempt == 5
    assert backoff.after_loss(5.0, taken_over=False) <= 0.1
    assert backoff.attempt == 1


def test_a_takeover_is_followed_by_at_least_half_of_the_ceiling() -> None:
    delays = [Backoff(Random(seed), 5.0).after_loss(60, taken_over=True) for seed in SEEDS]
    assert 2.5 <= min(delays) < max(delays) <= 5.0
