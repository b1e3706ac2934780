"""Who asked for the guest that runs now, until when, and why was it ended?"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from typing import Any, Literal, TypeAlias

    from wasm_runner.library import Guest

    Reason: TypeAlias = Literal["cancelled", "deadline", "failed"]

__all__ = ["GuestCall"]

# Progress extends a long-running call up to here (wire, 7.3).
LONGEST_CALL_S = 600.0


class GuestCall:
    """One call of one guest.

    The guest's thread runs it, the watchdog looks at it, and the host functions find it here.

    Attributes:
        context: The SDK's context; None for what no caller asked for, such as `describe`.
        reason: Why the guest was interrupted; None while it was not.
        failure: What a host function wants raised once the guest has ended.
        variables: What `var_set` kept; thrown away with the call.
        http_status: Of the last response to Extism's `http_request`.
        http_headers: The same response's.
    """

    def __init__(
        self,
        name: str,
        *,
        context: Any,
        settings: dict[str, Any],
        now: float,
        long_running: bool = False,
        limit_s: float | None = None,
    ) -> None:
        """Start a call.

        Args:
            name: For messages: the tool, or the exported function.
            context: See the attributes.
            settings: The plugin's settings.
            now: Seconds on the monotonic clock.
            long_running: Whether progress extends the deadline.
            limit_s: Time for a call whose context has no deadline; None: as long as it takes.
        """
        self.name = name
        self.context = context
        self.settings = settings
        self.reason: Reason | None = None
        self.failure: BaseException | None = None
        self.variables: dict[bytes, bytes] = {}
        self.http_status = 0
        self.http_headers: dict[str, str] = {}
        self._guest: Guest | None = None
        self._started_at = now
        deadline_s = None if context is None else context.deadline_s
        self._allowed_s = limit_s if deadline_s is None else deadline_s
        self._ends_at = None if self._allowed_s is None else now + self._allowed_s
        self._long_running = long_running
        self._interrupted_at: float | None = None
        self._hosting = 0

    @property
    def allowed_s(self) -> float | None:
        """The time the call had, in seconds."""
        return self._allowed_s

    @property
    def attached(self) -> bool:
        """Whether there is an instance already."""
        return self._guest is not None

    def attach(self, guest: Guest) -> None:
        """Say which instance the call runs in, once there is one to interrupt."""
        self._guest = guest

    def look(self, now: float) -> None:
        """Interrupt the guest if its time is up or its caller left."""
        if self.reason is None:
            if self.context is not None and self.context.cancelled:
                self.reason = "cancelled"
            elif self._ends_at is not None and now >= self._ends_at:
                self.reason = "deadline"
        if self.reason is not None:
            self._interrupt(now)

    def overrun_s(self, now: float) -> float:
        """Return how long the guest itself has been running on after its interruption."""
        if self._interrupted_at is None or self._hosting:
            return 0.0
        return now - self._interrupted_at

    def left_s(self, now: float) -> float | None:
        """Return the seconds left until the deadline; None without one."""
        return None if self._ends_at is None else max(0.0, self._ends_at - now)

    def fail(self, failure: BaseException, now: float) -> None:
        """End the guest from inside a host function: *failure* is raised in its place."""
        if self.failure is None:
            self.failure = failure
        if self.reason is None:
            self.reason = "failed"
        self._interrupt(now)

    def progressed(self, now: float) -> None:
        """Extend the deadline of a long-running call, as the host does."""
        if self._long_running and self._ends_at is not None and self._allowed_s is not None:
            self._ends_at = min(now + self._allowed_s, self._started_at + LONGEST_CALL_S)

    def enter_host(self) -> None:
        """Note that a host function runs: the guest cannot stop before it returns."""
        self._hosting += 1

    def leave_host(self, now: float) -> None:
        """Note that the guest runs again."""
        self._hosting -= 1
        if self._interrupted_at is not None:
            self._interrupted_at = now

    def _interrupt(self, now: float) -> None:
        if self._interrupted_at is None:
            self._interrupted_at = now
        # Said again at each look: the library forgets an interruption that comes before the guest
        # has begun.
        if self._guest is not None:
            self._guest.interrupt()
