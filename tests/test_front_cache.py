"""What is kept of answers: as many bytes as may be, what is used longer than what is not."""

import threading

from policygraph.front.answers import Answer
from policygraph.front.cache import Cache
from policygraph.front.flights import MOST_WAITING_OF_ONE, Flights
from policygraph.web.crowds import Crowd

KILOBYTE = 1024


def _answer(size=KILOBYTE, etag='"e"'):
    return Answer("200 OK", [], [b"x" * size], etag)


def _key(name):
    return ("version", name)


def test_it_holds_no_more_bytes_than_it_may():
    cache = Cache(most=100 * KILOBYTE, largest=50 * KILOBYTE)
    for number in range(100):
        cache.put(_key(str(number)), _answer(10 * KILOBYTE))
        assert cache.bytes <= 100 * KILOBYTE
    assert len(cache) == 7
    assert cache.get(_key("99"))
    assert cache.get(_key("0")) is None


def test_what_is_used_stays_longer():
    cache = Cache(most=100 * KILOBYTE)
    cache.put(_key("used"), _answer(10 * KILOBYTE))
    for number in range(20):
        cache.put(_key(str(number)), _answer(10 * KILOBYTE))
        assert cache.get(_key("used"))
    assert cache.get(_key("0")) is None


def test_what_is_too_large_or_has_no_etag_is_not_kept():
    cache = Cache(most=100 * KILOBYTE, largest=10 * KILOBYTE)
    cache.put(_key("large"), _answer(11 * KILOBYTE))
    cache.put(_key("changing"), _answer(etag=""))
    cache.put(_key("streamed"), Answer("200 OK", [], iter([b"x"]), '"e"'))
    assert len(cache) == cache.bytes == 0


def test_a_long_key_is_counted_too():
    cache = Cache(most=100 * KILOBYTE)
    cache.put(_key("x" * 100 * KILOBYTE), _answer(0))
    assert len(cache) == cache.bytes == 0


def test_an_answer_replaces_the_one_before():
    cache = Cache()
    for _ in range(3):
        cache.put(_key("a"), _answer())
    assert len(cache) == 1
    before = cache.bytes
    cache.put(_key("a"), _answer())
    assert cache.bytes == before


def test_many_threads_keep_it_in_order():
    cache = Cache(most=200 * KILOBYTE)

    def use(start):
        for number in range(500):
            cache.put(_key(str((start + number) % 60)), _answer(3 * KILOBYTE))
            cache.get(_key(str(number % 60)))

    threads = [threading.Thread(target=use, args=(start,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = [str(number) for number in range(60) if cache.get(_key(str(number)))]
    assert len(kept) == len(cache)
    fresh = Cache()
    for name in kept:
        fresh.put(_key(name), _answer(3 * KILOBYTE))
    assert cache.bytes == fresh.bytes <= 200 * KILOBYTE


def test_a_crowd_has_places_for_all_and_for_one():
    crowd = Crowd(3, 2)
    assert [crowd.enter("a") for _ in range(3)] == [True, True, False]
    assert not crowd.is_full
    assert [crowd.enter("b"), crowd.enter("b")] == [True, False]
    assert crowd.is_full
    crowd.leave("a")
    assert crowd.enter("b")


def test_who_waits_is_let_in_when_another_leaves():
    crowd = Crowd(1, 1)
    assert crowd.enter("a")
    threading.Timer(0.05, crowd.leave, ("a",)).start()
    assert crowd.enter("b", 20)


def _fly(flights, make, count, client="a"):
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(flights.answer(_key("a"), client, make)))
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return answers


def _maker(count, answer):
    """Return what makes answers, once so many requests wait or were worked on."""
    made = []

    def make(flight):
        made.append(flight)
        while made[0].waiting + len(made) < count and made[0] is flight:
            pass
        return answer

    return make, made


def test_who_waits_shares_the_answer():
    make, made = _maker(5, _answer())
    assert sorted(shared for _, shared in _fly(Flights(20), make, 5)) == [False, *[True] * 4]
    assert len(made) == 1


def test_an_answer_that_is_not_for_all_is_made_for_each():
    make, made = _maker(5, _answer(etag=""))
    assert [shared for _, shared in _fly(Flights(20), make, 5)] == [False] * 5
    assert len(made) == 5


def test_one_client_cannot_take_all_the_threads_by_waiting():
    make, made = _maker(30, _answer())
    answers = _fly(Flights(20), make, 30)
    assert sum(shared for _, shared in answers) == MOST_WAITING_OF_ONE
    assert len(made) == 30 - MOST_WAITING_OF_ONE


def test_a_fault_is_of_the_request_that_met_it():
    flights = Flights(20)

    def fail(flight):
        raise ZeroDivisionError

    for _ in range(2):
        try:
            flights.answer(_key("a"), "a", fail)
        except ZeroDivisionError:
            continue
    assert flights.answer(_key("a"), "a", lambda _: _answer())[1] is False
