"""Places: who runs, who waits, who makes room, over all web processes.

Two `Places` over one folder are as two web processes: they share nothing but the files.
"""

import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest

from policygraph.errors import ClientGone, TooBusy, TooManyFromOne
from policygraph.workers import Limits, Places

LIMITS = Limits(running=3, per_client=2, waiting=4, patience=0.2, assured=0.0)
HOLDER = """
import sys, time
from pathlib import Path
from policygraph.workers import Limits, Places
with Places(Path(sys.argv[1]), Limits(running=3)).place("held"):
    print("has it", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def make(tmp_path):
    """Return a function that opens the places as another process would."""
    with ExitStack() as opened:

        def make_places(limits=LIMITS, **options):
            places = Places(tmp_path / "places", limits, **options)
            opened.callback(places.close)
            return places

        yield make_places


@contextmanager
def _held(*wanted):
    """Have a place for each pair of places and client."""
    with ExitStack() as stack:
        yield [stack.enter_context(places.place(client)) for places, client in wanted]


def _is_refused(places, client, error):
    with pytest.raises(error), places.place(client):
        pass
    return True


def test_processes_share_the_places(make):
    one, other = make(), make()
    with _held((one, "a"), (other, "b"), (one, "c")):
        assert _is_refused(other, "d", TooBusy)
    with other.place("d"):
        pass


def test_one_client_leaves_a_place_to_others(make):
    one, other = make(), make()
    with _held((one, "a"), (other, "a")):
        assert _is_refused(one, "a", TooManyFromOne)
        assert _is_refused(other, "a", TooManyFromOne)
        with other.place("b"):
            pass


@pytest.mark.parametrize("running", [1, 2])
def test_one_client_always_has_a_place(make, running):
    with make(Limits(running=running, per_client=9)).place("a"):
        pass


def test_the_server_s_own_queries_may_have_all_places(make):
    places = make()
    with _held(*[(places, "")] * 3):
        assert _is_refused(places, "", TooBusy)


def test_who_waits_gets_the_place_that_is_left(make):
    one, other = make(Limits(running=1, patience=30)), make(Limits(running=1, patience=30))
    got = threading.Event()

    def wait():
        with other.place("b"):
            got.set()

    with one.place("a"):
        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.05)
        assert not got.is_set()
    assert got.wait(20)
    thread.join()


def test_only_so_many_wait_and_half_of_them_for_one_client(make):
    places = make(Limits(running=2, waiting=4, patience=30))
    with ExitStack() as stack:
        stack.enter_context(places.place(""))
        stack.enter_context(places.place(""))
        waiting = [_waiting(stack, places, client) for client in ("a", "a", "b", "c")]
        assert _is_refused(places, "d", TooBusy)
        waiting.pop()()
        assert _is_refused(places, "a", TooManyFromOne)


def _waiting(stack, places, client):
    """Let a query wait, until what is returned is called or the stack is left."""
    left = threading.Event()
    asked = threading.Event()

    def is_gone():
        asked.set()
        return left.is_set()

    def wait():
        with pytest.raises(ClientGone), places.place(client, is_gone):
            pass

    def leave():
        left.set()
        thread.join()

    thread = threading.Thread(target=wait)
    thread.start()
    stack.callback(leave)
    assert asked.wait(20)
    return leave


def test_each_process_lets_its_part_wait(make):
    places = make(Limits(running=1, waiting=2, patience=30), processes=2)
    with ExitStack() as stack:
        stack.enter_context(places.place("a"))
        _waiting(stack, places, "b")
        assert _is_refused(places, "c", TooBusy)


def test_a_client_who_leaves_waits_no_more(make):
    places = make(Limits(running=1, patience=60))
    with places.place("a"), pytest.raises(ClientGone), places.place("b", lambda: True):
        pass


def test_the_oldest_query_of_who_has_most_makes_room(make):
    one, other = make(), make()
    with _held((one, "b"), (one, "a"), (other, "a")) as places:
        assert _is_refused(other, "c", TooBusy)
        assert [place.is_shed() for place in places] == [False, True, False]


def test_a_query_has_its_assured_time(make):
    limits = Limits(running=2, patience=0.3, assured=60)
    one, other = make(limits), make(limits)
    with _held((one, "a"), (one, "b")) as places:
        assert _is_refused(other, "c", TooBusy)
        assert not any(place.is_shed() for place in places)


def test_who_has_as_much_makes_no_room(make):
    places = make()
    with _held((places, "a"), (places, "b"), (places, "c")) as held:
        assert _is_refused(places, "a", TooBusy)
        assert not any(place.is_shed() for place in held)


def test_who_has_a_full_share_takes_nothing_from_others(make):
    places = make()
    with _held((places, "a"), (places, "a"), (places, "b")) as held:
        assert _is_refused(places, "a", TooManyFromOne)
        assert not any(place.is_shed() for place in held)


def test_one_place_is_made_at_a_time(make):
    places = make(Limits(running=3, patience=0.5, assured=0.0))
    with _held((places, "a"), (places, "b"), (places, "c")) as held:
        assert _is_refused(places, "d", TooBusy)
        assert _is_refused(places, "e", TooBusy)
        assert sum(place.is_shed() for place in held) == 1


def test_a_place_is_new_for_the_next_query(make):
    places = make()
    with places.place("a") as place:
        place.shed()
    with places.place("a") as place:
        assert not place.is_shed()


def test_a_dead_process_has_no_place(make, tmp_path):
    places = make()
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "places")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"has it\n"
        with _held((places, "a"), (places, "b")):
            assert _is_refused(places, "c", TooBusy)
        process.kill()
    with _held((places, "held"), (places, "held"), (places, "b")):
        pass


def test_nobody_else_may_read_who_asks(make, tmp_path):
    with make().place("192.0.2.1"):
        folder = tmp_path / "places"
        assert folder.stat().st_mode & 0o777 == 0o700
        texts = [path.read_bytes() for path in folder.iterdir() if path.is_file()]
    assert not [text for text in texts if b"192.0.2.1" in text]


def test_places_are_never_given_twice(make):
    """Many threads of two processes take places, and look whether more run than may."""
    limits = Limits(running=3, per_client=2, waiting=64, patience=60, assured=60)
    running, most, lock = [], [], threading.Lock()

    def take(places, client):
        for _ in range(40):
            with places.place(client):
                with lock:
                    running.append(client)
                    most.append((len(running), running.count(client)))
                os.sched_yield()
                with lock:
                    running.remove(client)

    pair = make(limits), make(limits)
    threads = [threading.Thread(target=take, args=(pair[n % 2], "abc"[n % 3])) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 12 * 40
    assert max(most)[0] <= 3
    assert max(of_one for _, of_one in most) <= 2
