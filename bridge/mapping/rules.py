"""The rules of ``skip`` and ``active``: the first that matches decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge.errors import EntryFault
from bridge.mapping.frames import located
from bridge.mapping.scope import Code, Expression, Frame
from bridge.mapping.values import truth


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; ``when`` is None in ``otherwise``, ``then`` under ``skip``."""

    when: Expression | None
    then: bool | None
    reason: str
    label: str
    code: Code = field(init=False, repr=False)

    def __post_init__(self) -> None:
        code = self.when.code if self.when else _always
        object.__setattr__(self, "code", code)

    @property
    def text(self) -> str:
        return self.when.text if self.when else "otherwise"


def _always(frame: Frame) -> bool:
    return True


def decide(
    rules: Sequence[Rule], otherwise: Rule | None, frame: Frame
) -> tuple[Rule | None, list[str]]:
    """The rule that decides, if one does, and the faults of rules that could not be worked out.

    A rule that cannot be worked out might have matched. So a later one decides only where it
    says the same as every one of those.
    """
    faults: list[str] = []
    blocked: set[bool | None] = set()
    for rule in rules:
        try:
            matches = rule.code(frame)
            if matches is not True and matches is not False:
                matches = truth(matches)
        except EntryFault as fault:
            faults.append(str(located(rule.label, rule.when, fault)))
            blocked.add(rule.then)
            continue
        if matches:
            return (rule if blocked <= {rule.then} else None), faults
    if otherwise is None or not blocked <= {otherwise.then}:
        return None, faults
    return otherwise, faults
