"""Decides whether a run may move between two states: applies an ordered list of rules to a proposal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from prefect.client.schemas.objects import State, StateDetails, StateType
from prefect.client.schemas.responses import SetStateStatus

FactsT = TypeVar("FactsT")

ANY_TYPE: frozenset[StateType | None] = frozenset({None, *StateType})
TERMINAL: frozenset[StateType | None] = frozenset(
    {StateType.COMPLETED, StateType.FAILED, StateType.CANCELLED, StateType.CRASHED}
)


@dataclass(slots=True)
class Transition(Generic[FactsT]):
    """One proposed transition, as the rules see it; only `decide` changes it.

    Attributes:
        initial: The state that the run is in; None when it has none yet.
        proposed: The state that it shall get, as revised by the rules so far.
        facts: What the rules need to know about the run.
        now: The instant of the decision.
        changes: Changes to the run itself that the rules so far ask for, by column.
        effects: What else the rules so far ask for.
    """

    initial: State | None
    proposed: State
    facts: FactsT
    now: datetime
    changes: dict[str, Any] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)

    @property
    def initial_type(self) -> StateType | None:
        return self.initial.type if self.initial is not None else None

    def known(self, column: str) -> Any:
        """A column of the run, as the rules so far have changed it."""
        return self.changes[column] if column in self.changes else getattr(self.facts, column)


# -- what a rule may answer ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Effect:
    """Something to do besides, in the same transaction, by whoever stores the state."""


@dataclass(frozen=True, slots=True)
class Revise:
    """Go on, with changes to the proposed state or to the run, or with something to do besides."""

    state: State | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """Store another state, or none: the run keeps its own. Whoever proposed adopts what is answered."""

    reason: str
    state: State | None = None
    changes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wait:
    """Store nothing; whoever proposed asks again later."""

    reason: str
    delay_seconds: int


@dataclass(frozen=True, slots=True)
class Abort:
    """Store nothing; whoever proposed must stop orchestrating this run."""

    reason: str


Verdict = Revise | Reject | Wait | Abort | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a proposal.

    Attributes:
        status: What its sender is told.
        state: The state to store; None when nothing is stored.
        reason: Why it was not accepted.
        delay_seconds: How long a waiting sender waits.
        changes: Columns of the run to change together with the state.
        effects: What to do besides, in the same transaction.
    """

    status: SetStateStatus
    state: State | None
    reason: str | None = None
    delay_seconds: int = 0
    changes: dict[str, Any] = field(default_factory=dict)
    effects: tuple[Effect, ...] = ()


# -- rules and policies ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rule(Generic[FactsT]):
    """A rule, and the transitions that it is about. It is asked about these only."""

    name: str
    leaving: frozenset[StateType | None]
    entering: frozenset[StateType | None]
    judge: Callable[[Transition[FactsT]], Verdict]


def rule(
    *,
    leaving: Iterable[StateType | None] = ANY_TYPE,
    entering: Iterable[StateType | None] = ANY_TYPE,
) -> Callable[[Callable[[Transition[FactsT]], Verdict]], Rule[FactsT]]:
    """Declare the decorated function as a rule about transitions between these types."""

    def declare(judge: Callable[[Transition[FactsT]], Verdict]) -> Rule[FactsT]:
        return Rule(judge.__name__, frozenset(leaving), frozenset(entering) - {None}, judge)

    return declare


class Policy(Generic[FactsT]):
    """An ordered list of rules. The first one that rejects, delays or aborts ends the matter."""

    def __init__(self, name: str, *rules: Rule[FactsT]) -> None:
        self.name = name
        self.rules = rules
        self._by_types: dict[tuple[StateType | None, StateType], tuple[Rule[FactsT], ...]] = {}

    def rules_for(self, initial: StateType | None, proposed: StateType) -> tuple[Rule[FactsT], ...]:
        """The rules about transitions between two types, in order."""
        key = (initial, proposed)
        found = self._by_types.get(key)
        if found is None:
            found = tuple(each for each in self.rules if initial in each.leaving and proposed in each.entering)
            self._by_types[key] = found
        return found


def decide(policy: Policy[FactsT], transition: Transition[FactsT]) -> Decision:
    """Apply a policy to a proposal.

    What rules asked for before another one stopped the transition is forgotten with it: nothing needs to be undone.
    """
    for each in policy.rules_for(transition.initial_type, transition.proposed.type):
        verdict = each.judge(transition)
        if verdict is None:
            continue
        if isinstance(verdict, Revise):
            if verdict.state is not None:
                transition.proposed = verdict.state
            transition.changes.update(verdict.changes)
            if verdict.effect is not None:
                transition.effects.append(verdict.effect)
        elif isinstance(verdict, Reject):
            return Decision(SetStateStatus.REJECT, verdict.state, verdict.reason, changes=verdict.changes)
        elif isinstance(verdict, Wait):
            return Decision(SetStateStatus.WAIT, None, verdict.reason, verdict.delay_seconds)
        else:
            return Decision(SetStateStatus.ABORT, None, verdict.reason)
    return Decision(
        SetStateStatus.ACCEPT, transition.proposed, changes=transition.changes, effects=tuple(transition.effects)
    )


# -- words that several rules use ------------------------------------------------------------------------------------


def new_state(
    type: StateType, name: str, *, message: str | None = None, data: Any = None, **details: Any
) -> State[Any]:
    """A state that a rule puts in the place of the proposed one."""
    return State(type=type, name=name, message=message, data=data, state_details=StateDetails(**details))


def with_details(state: State[Any], **details: Any) -> State[Any]:
    """The same state with other details."""
    return State(
        type=state.type,
        name=state.name,
        message=state.message,
        data=state.data,
        state_details=state.state_details.model_copy(update=details),
    )


def renamed(state: State[Any], name: str) -> State[Any]:
    """The same state under another name."""
    return State(type=state.type, name=name, message=state.message, data=state.data, state_details=state.state_details)


def has_stored_result(state: State[Any] | None) -> bool:
    """Whether a state carries a result that can be read again later."""
    return state is not None and state.data is not None
