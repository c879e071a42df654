"""The web: pages and the SPARQL endpoint. The only home of flask and granian."""

from flask import Flask

from policygraph.catalogue import questions
from policygraph.project import Project
from policygraph.store import Store
from policygraph.web import errors, home, security, sparql
from policygraph.web.served import Served, serve_this

LARGEST_BODY = 1024 * 1024
"""Bytes of a request. The longest query of the project has three thousand."""


def create_app(project: Project, store: Store) -> Flask:
    """Return the application that serves a project and its graph, both as they are now."""
    app = Flask(__name__)
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_BODY, MAX_FORM_MEMORY_SIZE=LARGEST_BODY)
    serve_this(app, Served(project, store, tuple(questions(project))))

    security.register(app)
    errors.register(app)
    app.register_blueprint(home.bp)
    app.register_blueprint(sparql.bp)
    return app
