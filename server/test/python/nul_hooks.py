"""Hooks for schemathesis: put a NUL into each generated query, path and body.

PostgreSQL refuses the character. schemathesis draws it rarely, and mostly beside another parameter that is refused first. So a
query keeps one parameter, and the start that reports require.
"""

import document_hooks  # noqa: F401 registers its hooks
import schemathesis
from hypothesis import strategies as st

START = {"starting_at": "2026-11-20T00:00:00Z"}


def places_of(value, place=()):
    """Yields the paths of all strings in a JSON value."""
    if isinstance(value, str):
        yield place
    elif isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places_of(inner, (*place, key))


def with_nul(value, place):
    """Copies the value with a NUL in the string at the path."""
    if not place:
        return f"{value}\0"
    key, *rest = place
    copy = value.copy()
    copy[key] = with_nul(value[key], rest)
    return copy


def put_nul(value):
    places = list(places_of(value))
    return st.sampled_from(places).map(lambda place: with_nul(value, place)) if places else st.just(value)


@schemathesis.hook
def flatmap_query(_context, query):
    if not query:
        return st.just(query)
    required = START if "starting_at" in query else {}
    return st.sampled_from(sorted(query)).map(lambda name: {**required, name: "\0"})


@schemathesis.hook
def flatmap_path_parameters(_context, path_parameters):
    return put_nul(path_parameters)


@schemathesis.hook
def flatmap_body(_context, body):
    return put_nul(body)
