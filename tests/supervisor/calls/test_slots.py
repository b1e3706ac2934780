from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from plughost.supervisor.calls.slots import Slots


def test_a_full_queue_refuses() -> None:
    slots = Slots(limit=1, queue_limit=2)
    assert slots.take()
    assert not slots.take()
    assert [slots.queue(name) for name in "abc"] == [True, True, False]


def test_slots_are_handed_on_in_order_of_arrival() -> None:
    slots = Slots(limit=1)
    slots.take()
    for name in "abc":
        slots.queue(name)
    slots.leave("b")

    assert [slots.release() for _ in range(3)] == ["a", "c", None]
    assert (slots.in_flight, slots.queued) == (0, 0)


def test_draining_gives_everybody_a_slot_to_give_back() -> None:
    slots = Slots(limit=1)
    slots.take()
    for name in "abc":
        slots.queue(name)

    assert slots.drain() == ["a", "b", "c"]
    assert [slots.release() for _ in range(4)] == [None] * 4
    assert slots.in_flight == 0


def test_nobody_overtakes_the_queue() -> None:
    slots = Slots(limit=1)
    slots.take()
    slots.queue("first")
    slots.in_flight = 0  # the moment between a release and its waiter's turn

    assert not slots.take()


class SlotsMachine(RuleBasedStateMachine):
    """Whatever the order, slots are neither lost nor made."""

    def __init__(self) -> None:
        super().__init__()
        self.slots = Slots(limit=3, queue_limit=2)
        self.holding = 0
        self.waiting: list[int] = []
        self.next = 0

    @rule()
    def come(self) -> None:
        if self.slots.take():
            self.holding += 1
        elif self.slots.queue(self.next):
            self.waiting.append(self.next)
            self.next += 1

    @precondition(lambda self: self.holding)
    @rule()
    def finish(self) -> None:
        heir = self.slots.release()
        if self.waiting:
            assert heir == self.waiting.pop(0)
        else:
            assert heir is None
            self.holding -= 1

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def lose_patience(self, data: st.DataObject) -> None:
        waiter = data.draw(st.sampled_from(self.waiting))
        self.slots.leave(waiter)
        self.waiting.remove(waiter)

    @invariant()
    def the_books_agree(self) -> None:
        assert self.slots.in_flight == self.holding <= 3
        assert self.slots.queued == len(self.waiting) <= 2


TestSlotsMachine = SlotsMachine.TestCase
