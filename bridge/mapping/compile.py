"""From the text of a file to a `Mapping`, or to all of its faults."""

from __future__ import annotations

import hashlib
import json
from collections import abc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bridge.errors import EntryFault
from bridge.mapping.attributes import Attributes
from bridge.mapping.directory_compile import DirectoryCompiler
from bridge.mapping.document import Document, RuleText, read_document
from bridge.mapping.effective import own_text, read_effective
from bridge.mapping.expression import compile_expression
from bridge.mapping.faults import Enough, Faults, did_you_mean
from bridge.mapping.frames import Frames, Var, needed_vars
from bridge.mapping.functions.registry import Site
from bridge.mapping.mapping import Mapping
from bridge.mapping.prefer import Preference
from bridge.mapping.program import Group, Program
from bridge.mapping.render import (
    CompiledList,
    CompiledTarget,
    compiled,
    compiled_unique,
    refuse_misfit,
)
from bridge.mapping.rules import Rule
from bridge.mapping.schema import custom_schemas
from bridge.mapping.scope import RESERVED, Expression, Scope
from bridge.mapping.source_section import SourceModel, read_source
from bridge.mapping.targets import Target
from bridge.mapping.trials import expectations
from bridge.mapping.value_options import COUNTER
from bridge.mapping.values import truth
from bridge.mapping.yaml_text import Items, Scalar
from bridge.model import Wanted


def load(text: str, file: str, kinds: abc.Mapping[str, type[SourceModel]]) -> Mapping:
    """The mapping in ``text``; ``file`` is its name in faults, ``kinds`` the settings model of
    each type of source. Raises `FileFaults` with every fault there is."""
    faults = Faults(file, own_text(text))
    try:
        mapping = _loaded(text, file, kinds, faults)
    except Enough:
        mapping = None
    if mapping is None:
        raise faults.error()
    return mapping


def _loaded(
    text: str, file: str, kinds: abc.Mapping[str, type[SourceModel]], faults: Faults
) -> Mapping | None:
    effective = read_effective(text, faults)
    if effective is None:
        return None
    tree, text = effective
    document = read_document(tree, faults)
    source = read_source(document.source, kinds, faults) if document.source else None
    settings = source[2] if source else None
    program = _Compiler(document, settings, faults).program()
    groups = DirectoryCompiler(document, settings, faults).compiled()
    if source is None or program is None or len(faults):
        return None
    return Mapping(
        name=document.name,
        file=file,
        text=text,
        version_hash=hashlib.sha256(text.encode()).hexdigest(),
        source_type=source[0],
        source=source[1],
        source_model=kinds[source[0]],
        schedule=document.schedule,
        limits=document.limits,
        protect=document.protect,
        timezone=document.timezone,
        schemas=custom_schemas(document.targets),
        tests=document.examples,
        key_signature=_signature(program, document),
        program=program,
        wanted=Wanted(
            frozenset(name for name, _ in program.frames.attributes) - source[2].own_names(),
            tuple(group.search for group in groups),
        )
        if source[2].asked
        else Wanted(),
        directory_groups=groups,
    )


class _Compiler:
    """Compiles a document; ``settings`` is None where the source has faults of its own."""

    def __init__(self, document: Document, settings: SourceModel | None, faults: Faults) -> None:
        self._document = document
        self._faults = faults
        site = Site(document.timezone, document.lookups)
        self._scope = Scope(site, self._attribute_names(settings))
        self._scope.required = self._required(settings)

    def program(self) -> Program | None:
        """The program, or None where there are faults."""
        document = self._document
        vars_ = self._vars()
        key = self._key(vars_)
        prefer = [e for scalar in document.prefer if (e := self._compiled(scalar))]
        skip = self._rules(document.skip)
        active = self._rules(document.active)
        otherwise = self._rules([document.otherwise] if document.otherwise else [])
        targets = (*document.targets.single, *document.targets.custom)
        single = [self._target(target) for target in targets]
        if document.external_id:
            target = Target(
                ("externalId",), "external_id", document.external_id.place, document.external_id
            )
            single.insert(0, self._target(target))
        listed = [
            CompiledList(
                item.attribute, item.fixed,
                tuple(self._target(part, links=False) for part in item.parts),
            )
            for item in document.targets.listed
        ]  # fmt: skip
        groups = self._groups()
        self._check_examples()
        if len(self._faults) or key is None:
            return None
        frames = self._frames(vars_)
        return Program(
            frames, key, frames.only(key), Preference(tuple(prefer), document.timezone), skip,
            active, otherwise[0], Attributes(tuple(single), tuple(listed)), groups,
        )  # fmt: skip

    # -- names -------------------------------------------------------------------------------

    def _attribute_names(self, settings: SourceModel | None) -> dict[str, str] | None:
        """The source's names by their folded form; None where they cannot be known."""
        document = self._document
        listed = settings.attribute_names() if settings else None
        own = settings.own_names() if settings else frozenset()
        if document.attributes is None:
            if settings and listed is None and document.source:
                self._faults.add(document.source.place, "attributes is missing in the file",
                                 "list the names that expressions use")  # fmt: skip
            return {name.casefold(): name for name in listed} if listed is not None else None
        names: dict[str, str] = {}
        for scalar in document.attributes:
            if scalar.text.casefold() in names:
                self._faults.add(scalar.place, f"{scalar.text!r} is listed a second time")
            if listed is not None and scalar.text not in listed:
                self._faults.add(scalar.place, f"the source has no attribute {scalar.text!r}",
                                 did_you_mean(scalar.text, listed))  # fmt: skip
            names[scalar.text.casefold()] = scalar.text
        return {name.casefold(): name for name in own} | names

    def _required(self, settings: SourceModel | None) -> frozenset[str]:
        """The folded names of ``source.require``, each of which has a place in a frame."""
        source = self._document.source
        if settings is None or source is None or self._scope.attributes is None:
            return frozenset()
        node = source.values.get("require")
        for number, name in enumerate(settings.require):
            if self._scope.attribute(name) is None:
                place = node.items[number].place if isinstance(node, Items) else source.place
                self._faults.add(place, f"unknown attribute {name!r} in source.require",
                                 did_you_mean(name, self._scope.attributes.values()))  # fmt: skip
        return frozenset(name.casefold() for name in settings.require)

    def _vars(self) -> list[Var]:
        found = []
        for key, scalar in self._document.vars:
            name = key.text
            if name in RESERVED:
                self._faults.add(key.place, f"{name!r} has a meaning of its own")
            elif name.casefold() in (self._scope.attributes or {}):
                self._faults.add(key.place, f"{name!r} is an attribute of the source already",
                                 "give the var another name")  # fmt: skip
            expression = self._compiled(scalar)
            self._scope.vars[name] = self._scope.place()
            if expression:
                self._scope.examples[name] = expression.example
                found.append(Var(name, self._scope.vars[name], expression))
        return found

    def _frames(self, vars_: Sequence[Var]) -> Frames:
        scope = self._scope
        spelled = scope.attributes or {}
        required = [fold for fold in scope.places if fold in scope.required]
        return Frames(
            size=scope.size,
            zone=scope.site.zone,
            spelled=spelled,
            known=frozenset(spelled.values()),
            attributes=tuple((spelled[fold], place) for fold, place in scope.places.items()),
            required=tuple((spelled[fold], scope.places[fold]) for fold in required),
            vars=tuple(vars_),
        )

    # -- sections ----------------------------------------------------------------------------

    def _key(self, vars_: Sequence[Var]) -> Expression | None:
        scalar = self._document.key
        key = self._compiled(scalar) if scalar else None
        if scalar is None or key is None:
            return None
        parts = [key, *(var.expression for var in needed_vars(key, vars_))]
        if any(part.clock for part in parts):
            self._faults.add(scalar.place, "key may not depend on now or today",
                             "it would change while the person does not")  # fmt: skip
        if not any(part.attributes for part in parts):
            self._faults.add(scalar.place, "key reads no attribute: everybody would be one person")
        return key

    def _rules(self, texts: Iterable[RuleText]) -> tuple[Rule, ...]:
        rules = []
        for text in texts:
            when = self._compiled(text.when) if text.when else None
            self._check_kind(when, text.label, truth)
            rules.append(Rule(when, text.then, text.reason, text.label))
        return tuple(rules)

    def _target(self, target: Target, *, links: bool = True) -> CompiledTarget:
        if target.options.unique:
            return self._unique(target)
        expression = self._compiled(target.expr, links=links) if target.expr else None
        self._check_kind(expression, target.label, partial(refuse_misfit, target.type))
        try:
            return compiled(target, expression)
        except EntryFault as fault:
            self._faults.add(target.place, f"the fixed text of {target.label} {fault}")
            return compiled(replace(target, const=None, default=None), expression)

    def _check_kind(
        self, expression: Expression | None, label: str, take: Callable[[Any], object]
    ) -> None:
        """A value that can never be what it is for is told once, and not for everybody."""
        if expression is None or expression.example is None:
            return
        try:
            take(expression.example)
        except EntryFault as fault:
            self._faults.add(expression.place, f"{label} {fault}")

    def _unique(self, target: Target) -> CompiledTarget:
        names, counter = self._scope.vars, self._scope.place()
        self._scope.vars = {**names, COUNTER: counter}
        found = [self._compiled(scalar) for scalar in target.options.unique]
        self._scope.vars = names
        return compiled_unique(target, tuple(each for each in found if each), counter)

    def _groups(self) -> tuple[Group, ...]:
        groups = []
        for text in self._document.groups.derived:
            key, name = self._compiled(text.key), self._compiled(text.display_name)
            if key and name:
                groups.append(Group(text.label, key, name))
        return tuple(groups)

    def _check_examples(self) -> None:
        """Tests name attributes and targets that exist, so that no test passes by a typo."""
        names = self._scope.attributes
        known = expectations(self._document.targets)
        for example in self._document.examples:
            for key in example.record_keys:
                if names is not None and key.text.casefold() not in names:
                    self._faults.add(key.place, f"unknown attribute {key.text!r} in a record",
                                     did_you_mean(key.text, names.values()))  # fmt: skip
            for key in example.expect_keys:
                if key.text not in known:
                    self._faults.add(key.place, f"nothing is mapped to {key.text!r}",
                                     did_you_mean(key.text, known))  # fmt: skip

    def _compiled(self, scalar: Scalar, *, links: bool = False) -> Expression | None:
        return compile_expression(scalar, self._scope, self._faults, links=links)


def _signature(program: Program, document: Document) -> str:
    """The key's expression with all that it hangs on, as canonical JSON."""
    key = program.key
    vars_ = needed_vars(key, program.frames.vars)
    parts = [key, *(var.expression for var in vars_)]
    tables = sorted(set().union(*(part.tables for part in parts)))
    return json.dumps(
        {
            "key": key.normal,
            "vars": {var.name: var.expression.normal for var in vars_},
            "lookups": {name: dict(document.lookups[name]) for name in tables},
            "timezone": document.timezone.key if any(part.zone for part in parts) else "",
        },
        sort_keys=True,
    )
