"""The web: pages, documents and the SPARQL endpoint, as a Flask application. Flask's only home."""

from flask import Flask

from policygraph.web import discovery, errors, home, operations, security, sparql, things
from policygraph.web.served import Served, serve_this


def create_app(served: Served) -> Flask:
    """Return the application that serves a snapshot.

    A server that swaps snapshots names the one of a request in its environ (`served.IN_ENVIRON`).
    """
    app = Flask(__name__)
    largest = served.settings.limits.body
    app.config.update(MAX_CONTENT_LENGTH=largest, MAX_FORM_MEMORY_SIZE=largest)
    serve_this(app, served)

    security.register(app)
    errors.register(app)
    for blueprint in _BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app


_BLUEPRINTS = (home.bp, sparql.bp, things.bp, discovery.bp, operations.bp)
"""To add a page, add its blueprint."""
