# SPDX-License-Identifier: LGPL-2.1-or-later
"""The core's client against the scripted server: every form, every shape of reply, every error, and lies."""

import pytest

from client_run import CHUNKED, EVERYTHING, run_client
from fullserver import Server
from fullserver_image import Image
from fullserver_replies import Shape
from nbdwire import STATE_HOLE, STATE_ZERO, Command, Error

FORMS = ("simple", "structured", "extended")
SIZE = 8 << 20


@pytest.fixture(params=FORMS)
def form(request):
    return request.param


def outcome_with(form, shape, requests=2000, *options):
    """The outcome and the server, which has nothing to complain of."""
    with Server(form=form, size=SIZE, shape=shape) as server:
        outcome = run_client(server.port, "disk", requests, *options)
        outcome.told()
    assert server.complaints == []
    return outcome, server


@pytest.mark.parametrize("seed", range(8))
def test_all_shapes(form, seed):
    outcome, server = outcome_with(form, Shape.wild(seed))
    told, counts = outcome.told(), outcome.counts()
    assert (told["form"], told["context"]) == (form, "none" if form == "simple" else "base:allocation")
    assert min(counts[kind] for kind in EVERYTHING) > 0
    assert all((counts[kind] > 0) == (form != "simple") for kind in CHUNKED)
    assert len(server.requests) == 2000 + 1


@pytest.mark.parametrize("most", FORMS)
def test_no_better_form_is_asked_for(form, most):
    outcome, _ = outcome_with(form, Shape(), 100, "--form", most)
    assert outcome.told()["form"] == min(form, most, key=FORMS.index)


def test_replies_in_another_order(form):
    outcome_with(form, Shape(gather=16, gather_ms=20, interleave=True, chunks=9, done_alone=1), 1000)


@pytest.mark.parametrize("delivery", ["bytes", "batched"])
def test_replies_in_other_portions(form, delivery):
    outcome_with(form, Shape.wild(2, delivery=delivery), 150)


# --- errors


def assert_counted(outcome, server):
    assert outcome.errors() == dict(server.failures)
    assert server.failures


@pytest.mark.parametrize("error", Error)
def test_each_error_now_and_then(form, error):
    outcome, server = outcome_with(form, Shape.wild(3, errors=0.01, error_numbers=(error,)), 2000, "--errors")
    assert_counted(outcome, server)
    assert {number for _, number in server.failures} == {error}


def test_errors_of_every_kind_on_every_command(form):
    outcome, server = outcome_with(form, Shape.wild(4, errors=0.5), 6000, "--errors")
    assert_counted(outcome, server)
    commands = set(Command) - {Command.DISC} - ({Command.BLOCK_STATUS} if form == "simple" else set())
    assert set(server.failures) == {(command, error) for command in commands for error in Error}


def test_an_error_that_nobody_knows(form):
    outcome, server = outcome_with(form, Shape.wild(5, errors=0.1, error_numbers=(200,)), 500, "--errors")
    assert_counted(outcome, server)
    assert "unknown error" in outcome.text


def test_an_error_ends_a_run_that_does_not_count_them(form):
    with Server(form=form, size=SIZE, shape=Shape(errors=0.1, error_numbers=(Error.EIO,))) as server:
        assert run_client(server.port).failure() == "input/output error"


def test_zeroes_that_cannot_be_fast_are_not_an_error(form):
    shape = Shape(errors=0.5, error_commands=(Command.WRITE_ZEROES,), error_numbers=(Error.ENOTSUP,))
    with Server(form=form, size=SIZE, shape=shape) as server:
        outcome = run_client(server.port, "disk", 2000, "--errors")
    assert 0 < outcome.counts()["not-fast"] < server.failures[Command.WRITE_ZEROES, Error.ENOTSUP]


# --- what the client is there to find out


class Fickle(Image):
    """Says the same of all that there is."""

    state = 0

    def extents(self, offset, end):
        return [(end - offset, self.state)]


class Forgetful(Fickle):
    """Loses every short write, and does not give itself away by its extents."""

    def write(self, offset, data):
        if len(data) > 8192:
            super().write(offset, data)


class Lazy(Image):
    """Writes of zeroes leave what was there."""

    def zero(self, offset, length, hole=True):
        pass


class Empty(Fickle):
    state = STATE_ZERO


class Hollow(Fickle):
    state = STATE_HOLE


class Endless(Image):
    """Its last extent goes on behind its end."""

    def extents(self, offset, end):
        return [(2 * self.size, 0)]


def failure_with(image, form, **shape):
    with Server(form=form, size=SIZE, shape=Shape(**shape)) as server:
        server.exports[0].image = image(SIZE)
        return run_client(server.port).failure()


@pytest.mark.parametrize("image", [Forgetful, Lazy])
def test_wrong_contents_are_found(form, image):
    assert failure_with(image, form) == "what was read is not what was written"


@pytest.mark.parametrize("image, sentence", [
    (Fickle, None),
    (Empty, "an extent is said to be zeroes and is not"),
    (Hollow, "an extent is said to be a hole where something was written"),
    (Endless, "an extent reaches beyond the end of the export"),
])
@pytest.mark.parametrize("form", ["structured", "extended"])
def test_wrong_extents_are_found(form, image, sentence):
    assert failure_with(image, form, reach=1) == sentence
