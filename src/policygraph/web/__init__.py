"""The web: pages and the SPARQL endpoint. The only home of flask and granian."""

from flask import Flask

from policygraph.catalogue import questions
from policygraph.project import Project
from policygraph.store import Store
from policygraph.web import errors, home, security, sparql
from policygraph.web.served import Served, serve_this
from policygraph.workers import Pool


def create_app(project: Project, store: Store, pool: Pool) -> Flask:
    """Return the application that serves a project and its graph, both as they are now.

    The pool holds the same graph and answers the queries that come from outside.
    """
    app = Flask(__name__)
    largest = pool.limits.body
    app.config.update(MAX_CONTENT_LENGTH=largest, MAX_FORM_MEMORY_SIZE=largest)
    serve_this(app, Served(project, store, tuple(questions(project)), pool))

    security.register(app)
    errors.register(app)
    app.register_blueprint(home.bp)
    app.register_blueprint(sparql.bp)
    return app
