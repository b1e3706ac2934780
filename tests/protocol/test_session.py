"""Contract: contracts/wire/README.md §3-§4, §7."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from plughost.errors import LocalError
from plughost.protocol.messages import encode
from plughost.protocol.moves import MOVES, STEPS, Side, State, may_send
from plughost.protocol.session import Answer, Ask, Malformed, Noise, Session, Stray, Tell, TooLong


def line(**message: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"


def ready_session(max_message_bytes: int = 4096) -> Session:
    session = Session(max_message_bytes)
    opened, _ = session.request("initialize")
    session.receive(line(id=opened, result={}))
    session.step_ready()
    return session


def test_a_session_walks_from_new_to_closed() -> None:
    session = Session()
    states = [session.state]

    opened, wire = session.request("initialize", encode({"a": 1}))
    states.append(session.state)
    events = session.receive(line(id=opened, result={"x": 1}))
    states.append(session.state)
    session.step_ready()
    states.append(session.state)
    session.request("plughost/shutdown")
    states.append(session.state)
    unanswered = session.end()
    states.append(session.state)

    assert json.loads(wire) == {
        "jsonrpc": "2.0",
        "id": opened,
        "method": "initialize",
        "params": {"a": 1},
    }
    assert events == [Answer(opened, {"x": 1}, None)]
    assert len(unanswered) == 1
    assert states == list(State)


def test_a_refused_greeting_leaves_the_session_where_it_was() -> None:
    session = Session()
    opened, _ = session.request("initialize")

    assert session.receive(line(id=opened, error={"code": -1, "message": "no"})) == [
        Answer(opened, {}, {"code": -1, "message": "no"})
    ]
    assert session.state is State.GREETING


@pytest.mark.parametrize("method", ["tools/call", "tools/list", "plughost/activate", "unheard-of"])
def test_the_host_cannot_make_an_illegal_move(method: str) -> None:
    with pytest.raises(LocalError, match="may not send"):
        Session().request(method)


def test_answers_come_in_any_order_and_each_once() -> None:
    session = ready_session()
    first, _ = session.request("tools/call")
    second, _ = session.request("tools/call")

    events = session.receive(
        line(id=second, result={"n": 2})
        + line(id=first, result={"n": 1})
        + line(id=first, result={})
    )

    assert events == [
        Answer(second, {"n": 2}, None),
        Answer(first, {"n": 1}, None),
        Stray(first, late=False),
    ]


@pytest.mark.parametrize("forged", [0, -1, 99, "1", "x"])
def test_an_answer_to_nothing_is_stray(forged: int | str) -> None:
    assert ready_session().receive(line(id=forged, result={})) == [Stray(forged, late=False)]


def test_giving_up_sends_a_cancellation_and_makes_the_answer_late() -> None:
    session = ready_session()
    opened, _ = session.request("tools/call")

    wire = session.give_up(opened, "too slow")

    assert json.loads(wire)["method"] == "notifications/cancelled"
    assert json.loads(wire)["params"] == {"requestId": opened, "reason": "too slow"}
    assert session.give_up(opened, "again") == b""
    assert session.receive(line(id=opened, result={})) == [Stray(opened, late=True)]
    assert session.receive(line(id=opened, result={})) == [Stray(opened, late=False)]


def test_tombstones_are_bounded() -> None:
    session = ready_session()
    ids = [session.request("tools/call")[0] for _ in range(1100)]
    for opened in ids:
        session.give_up(opened, "x")

    assert session.receive(line(id=ids[0], result={})) == [Stray(ids[0], late=False)]
    assert session.receive(line(id=ids[-1], result={})) == [Stray(ids[-1], late=True)]


def test_a_request_of_the_plugin_is_answered_once() -> None:
    session = ready_session()
    assert session.receive(line(id="q", method="plughost/call", params={"plugin": "x"})) == [
        Ask("q", "plughost/call", {"plugin": "x"})
    ]

    assert json.loads(session.answer("q", b'{"ok":1}')) == {
        "jsonrpc": "2.0",
        "id": "q",
        "result": {"ok": 1},
    }
    with pytest.raises(LocalError, match="no open request"):
        session.answer("q", b"{}")


def test_a_refusal_carries_its_data() -> None:
    session = ready_session()
    session.receive(line(id=1, method="ping"))

    wire = session.refuse(1, -32001, "no", {"type": "permission-denied"})

    assert json.loads(wire)["error"] == {
        "code": -32001,
        "message": "no",
        "data": {"type": "permission-denied"},
    }


def test_a_request_id_that_is_still_open_is_noise() -> None:
    session = ready_session()
    session.receive(line(id=1, method="ping"))

    assert session.receive(line(id=1, method="ping")) == [
        Noise("request id 1 is used twice", "ping")
    ]


def test_unknown_and_early_requests_are_refused_by_the_session_itself() -> None:
    session = Session()
    session.request("initialize")

    assert session.receive(line(id=5, method="plughost/call") + line(id=6, method="wat")) == []

    early, unknown = (json.loads(each) for each in session.to_send.splitlines())
    assert (early["id"], early["error"]["code"]) == (5, -32600)
    assert (unknown["id"], unknown["error"]["code"]) == (6, -32601)


def test_notifications_that_are_unknown_or_early_are_ignored() -> None:
    session = Session()
    session.request("initialize")

    assert session.receive(line(method="notifications/progress", params={})) == []
    assert session.receive(line(method="notifications/new-thing")) == []
    assert session.receive(line(method="notifications/message", params={"data": "x"})) == [
        Tell("notifications/message", {"data": "x"})
    ]


def test_an_oversize_answer_fails_its_request_and_nothing_else() -> None:
    session = ready_session(max_message_bytes=200)
    first, _ = session.request("tools/call")
    second, _ = session.request("tools/call")

    events = session.receive(line(id=first, result={"x": "y" * 300}) + line(id=second, result={}))

    assert isinstance(events[0], TooLong)
    assert events[0].id == first
    assert events[1] == Answer(second, {}, None)


@pytest.mark.parametrize(
    "rest",
    [
        '"result":null',
        '"result":[]',
        '"result":{},"error":{}',
        '"error":1',
        '"x":1',
        '"result":{"n":NaN}',
    ],
)
def test_an_answer_that_is_not_understood_ends_its_request_at_once(rest: str) -> None:
    session = ready_session()
    opened, _ = session.request("tools/call")

    (event,) = session.receive(f'{{"jsonrpc":"2.0","id":{opened},{rest}}}\n'.encode())

    assert isinstance(event, Malformed)
    assert event.id == opened
    assert event.reason
    assert session.end() == []


def test_an_oversize_request_of_the_plugin_is_not_taken_for_an_answer() -> None:
    session = ready_session(max_message_bytes=200)
    opened, _ = session.request("tools/call")

    events = session.receive(line(id=opened, method="ping", params={"result": "y" * 300}))

    assert isinstance(events[0], TooLong)
    assert events[0].id is None
    assert session.receive(line(id=opened, result={})) == [Answer(opened, {}, None)]


def test_a_message_of_ours_that_is_too_long_is_not_sent_and_opens_nothing() -> None:
    session = ready_session(max_message_bytes=200)
    before = session.next_id

    with pytest.raises(LocalError, match="over the limit of 200") as caught:
        session.request("tools/call", encode({"x": "y" * 300}))

    assert session.next_id == before
    assert caught.value.hint
    assert session.end() == []


@given(st.binary(max_size=400))
def test_no_input_makes_the_session_raise(data: bytes) -> None:
    session = ready_session(max_message_bytes=64)
    session.request("tools/call")

    for event in session.receive(data + b"\n"):
        assert isinstance(event, (Answer, Ask, Tell, Malformed, Noise, Stray, TooLong))


def test_every_method_of_the_tables_has_a_known_state() -> None:
    assert all(states <= set(State) for states in MOVES.values())
    assert {before for before, _ in STEPS} == set(State)
    assert may_send(Side.PLUGIN, "initialize", State.READY) is None


class SessionMachine(RuleBasedStateMachine):
    """Any order of asking, giving up, and answering keeps the books straight."""

    def __init__(self) -> None:
        super().__init__()
        self.session = ready_session()
        self.open: set[int] = set()
        self.given_up: set[int] = set()

    @rule()
    def ask(self) -> None:
        opened, _ = self.session.request("tools/call")
        assert opened not in self.open | self.given_up
        self.open.add(opened)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        opened = data.draw(st.sampled_from(sorted(self.open)))
        assert self.session.give_up(opened, "x")
        self.open.remove(opened)
        self.given_up.add(opened)

    @rule(answered=st.integers(1, 30))
    def answer(self, answered: int) -> None:
        (event,) = self.session.receive(line(id=answered, result={}))
        if answered in self.open:
            assert event == Answer(answered, {}, None)
            self.open.remove(answered)
        else:
            assert event == Stray(answered, late=answered in self.given_up)
            self.given_up.discard(answered)

    @invariant()
    def the_books_agree(self) -> None:
        assert set(self.session._open) == self.open


TestSessionMachine = SessionMachine.TestCase
