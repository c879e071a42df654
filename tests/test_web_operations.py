"""What operators ask: is the server well, what are its limits, what went wrong."""

import datetime as dt
import json
from dataclasses import fields, replace
from http import HTTPStatus

import pytest

from policygraph.web import create_app
from policygraph.web.limits import BEYOND, size_in_words
from policygraph.web.problems import PROBLEMS, STATUSES, name_of
from policygraph.workers import ForkServer, Places, Pool
from policygraph.workers.limits import MEANINGS, Limits

BROWSER = {"Accept": "text/html,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/health", "/health?deep=1"])
def test_health_says_what_is_served_and_how_old_it_is(client, snapshot, path):
    response = client.get(path)
    told = response.json
    assert (response.status_code, told["status"]) == (200, "ok")
    assert (told["snapshot"], told["release"]) == (snapshot.id, snapshot.release)
    assert told["triples"] == snapshot.triples
    assert told["statements"] == snapshot.statements > 40
    assert dt.datetime.fromisoformat(told["made"]).tzinfo
    assert told["age_seconds"] >= 0
    assert told["last_check"] is None
    assert told["checked"] == told["made"]


def test_health_is_never_kept(client):
    assert client.get("/health").headers["Cache-Control"] == "no-store"


def test_a_check_that_failed_shows_while_the_old_data_is_served(served, tmp_path):
    last = {"time": "2026-11-24T15:00:00+00:00", "conforms": False, "message": "1 violation"}
    file = tmp_path / "last-check.json"
    file.write_text(json.dumps(last))
    client = create_app(replace(served, check_file=file)).test_client()
    told = client.get("/health").json
    assert (told["status"], told["last_check"]) == ("ok", last)
    assert told["checked"] == last["time"]


def test_a_server_whose_workers_are_gone_is_alive_but_not_well(served, tmp_path):
    limits = served.settings.limits
    server = ForkServer(served.snapshot.graph, served.base, tmp_path, limits)
    pool = Pool(server.socket, served.base, limits, Places(tmp_path / "places", limits))
    client = create_app(replace(served, pool=pool)).test_client()
    assert client.get("/health?deep=1").status_code == 200
    server.stop()
    assert client.get("/health").status_code == 200
    response = client.get("/health?deep=1")
    assert response.status_code == 503
    assert response.json["status"] == "down"
    assert response.json["detail"]
    pool.close()


@pytest.mark.parametrize("peer", ["203.0.113.9", "2001:db8::1", "10.0.0.1", "", "nonsense"])
def test_strangers_are_not_told_the_numbers(client, peer):
    response = client.get("/metrics", environ_base={"REMOTE_ADDR": peer})
    assert response.status_code == 403
    assert response.mimetype == "application/problem+json"


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_strangers_who_come_by_a_proxy_on_this_machine_are_not_either(client, header):
    assert client.get("/metrics", headers={header: "203.0.113.9"}).status_code == 403


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.1", "::1"])
def test_this_machine_is_told_the_numbers(client, snapshot, peer):
    response = client.get("/metrics", environ_base={"REMOTE_ADDR": peer})
    assert response.status_code == 200
    assert response.mimetype == "text/plain"
    assert response.headers["Cache-Control"] == "no-store"
    assert f"policygraph_triples {snapshot.triples}" in response.text.replace(".0\n", "\n")


def test_every_limit_has_a_row(client):
    assert set(BEYOND) == set(MEANINGS) == {field.name for field in fields(Limits)}
    rows = client.get("/limits").json["limits"]
    assert [row["name"] for row in rows] == [field.name for field in fields(Limits)]
    page = client.get("/limits", headers=BROWSER).text
    assert [row["name"] for row in rows if f'id="{row["name"]}"' not in page] == []


def test_limits_are_those_in_force_in_words(client, served):
    limits = served.settings.limits
    rows = {row["name"]: row for row in client.get("/limits").json["limits"]}
    assert {name: row["value"] for name, row in rows.items()} == {
        name: getattr(limits, name) for name in rows
    }
    assert rows["seconds"]["words"] == f"{limits.seconds:g} seconds"
    assert rows["memory"]["words"] == "1 GiB"
    assert rows["body"]["words"] == "1 MiB"


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1 KiB"),
        (939868, "917.8 KiB"),
        (2**40, "1 TiB"),
    ],
)
def test_sizes_are_in_words(size, words):
    assert size_in_words(size) == words


def test_beyond_each_limit_is_a_problem_that_is_explained(client):
    page = client.get("/problems", headers=BROWSER).text
    for row in client.get("/limits").json["limits"]:
        beyond = row["beyond"]
        assert beyond["status"] >= 400
        if beyond["type"] == "about:blank":
            assert HTTPStatus(beyond["status"]) in STATUSES
        else:
            assert f'id="{beyond["type"].partition("#")[2]}"' in page


def test_the_type_of_every_problem_leads_to_its_explanation(client, served):
    page = client.get("/problems", headers=BROWSER).text
    rows = {row["type"]: row for row in client.get("/problems").json["problems"]}
    for class_, problem in PROBLEMS.items():
        assert f'id="{name_of(class_)}"' in page
        row = rows[f"{served.base}problems#{name_of(class_)}"]
        assert (row["status"], row["title"]) == (problem.status, problem.title)
        assert row["meaning"]


def test_the_statuses_of_plain_http_are_explained(client):
    page = client.get("/problems", headers=BROWSER).text
    assert [status for status in STATUSES if f"{status.value} {status.phrase}" not in page] == []


def test_a_problem_that_happens_has_a_type_that_is_listed(client):
    types = {row["type"] for row in client.get("/problems").json["problems"]}
    for path in ("/sparql?query=X", "/dumps/nothing", "/sparql?update=X", "/void?format=csv"):
        assert client.get(path).json["type"] in types


@pytest.mark.parametrize("path", ["/limits", "/problems", "/dumps/"])
def test_tables_come_as_json_and_as_a_page(client, path):
    assert client.get(f"{path}?format=json").mimetype == "application/json"
    assert client.get(f"{path}?format=html").mimetype == "text/html"
    assert client.get(path, headers={"Accept": "image/png"}).status_code == 406
