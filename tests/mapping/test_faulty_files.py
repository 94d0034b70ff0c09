"""Every fault of a file, at its place; § marks where it is in the text."""

from __future__ import annotations

import pytest

CASES = {
    "unknown key at the top": (
        "§exernal_id: id",
        "unknown key 'exernal_id' in a mapping file (did you mean 'external_id'?)",
    ),
    "a key of a later version": ("§extends: hr-csv", "not supported yet: extends"),
    "another version": ("version: §2", "version is 1"),
    "a name that ids cannot be made of": ("name: §my staff", "name is letters, digits"),
    "no name": ("name: §''", "name is empty"),
    "unknown attribute": (
        "key: §ID_ | lower", "unknown name 'ID_' (did you mean 'id'?)",
    ),
    "fixed text without const": (
        "vars: { x: §Chief }", "unknown name 'Chief' (text is written in quotes)",
    ),
    "a var before it is there": ("vars: { x: §y, y: mail }", "unknown name 'y'"),
    "a var named as an attribute": (
        "vars: { §Mail: first }", "'Mail' is an attribute of the source already",
    ),
    "a var with a reserved name": ("vars: { §now: first }", "'now' has a meaning of its own"),
    "a var that is no name": ("vars: { §my var: first }", "the name of a var is letters"),
    "an expression in a folded text": (
        "vars:\n  x: >-\n    first |\n    §uper\n",
        "unknown function 'uper' (did you mean 'upper'?)",
    ),
    "an expression in quotes with escapes": (
        'vars: { x: "\\"a\\" + §nope" }', "unknown name 'nope'",
    ),
    "a key that the clock changes": (
        "vars: { d: today | format_date }\nkey: §id + d", "key may not depend on now or today",
    ),
    "a key that is the same for all": ("key: §tz", "key reads no attribute"),
    "unknown timezone": ("timezone: §Berlin", "timezone is not the name of a time zone"),
    "unknown source": (
        "source: { type: §tabel, path: x }",
        "unknown type of source 'tabel' (did you mean 'table'?)",
    ),
    "no type of source": ("source: §{ path: x }", "source.type is missing"),
    "unknown key of a source": (
        "source: { type: table, path: x, §colums: {}, columns: {id: I, mail: M, first: F,"
        " last: L, dept: D, ends: E, boss: B} }",
        "unknown key 'colums' under source (did you mean 'columns'?)",
    ),
    "a missing key of a source": (
        "source: §{ type: table, columns: {id: I, mail: M, first: F, last: L} }",
        "source.path is missing",
    ),
    "a wrong type in a source": (
        "source: { type: table, path: x, port: §many, columns: {id: I, mail: M, first: F,"
        " last: L} }",
        "source.port: should be a valid integer",
    ),
    "a number where text belongs": (
        "source: { type: table, path: x, columns: {id: §5, mail: M, first: F, last: L} }",
        "source.columns.id: should be a valid string",
    ),
    "a secret in plain sight": (
        "source: { type: table, path: x, password: §hunter2, columns: {id: I, mail: M, first: F,"
        " last: L} }",
        "source.password is a secret in plain sight (write ${env:NAME} or ${file:/path})",
    ),
    "an unknown form of secret": (
        "source: { type: table, path: §'${vault:x}', columns: {id: I, mail: M, first: F,"
        " last: L} }",
        "source.path holds ${...} of an unknown form",
    ),
    "require of what is not there": (
        "source: { type: table, path: x, require: [id, §mial], columns: {id: I, mail: M,"
        " first: F, last: L} }",
        "unknown attribute 'mial' in source.require (did you mean 'mail'?)",
    ),
    "no attributes anywhere": (
        "source: §{ type: table, path: x }", "attributes is missing in the file",
    ),
    "an attribute that the source does not have": (
        "attributes: [id, mail, first, last, §phone]", "the source has no attribute 'phone'",
    ),
    "an attribute twice": (
        "attributes: [id, mail, first, last, §ID]", "'ID' is listed a second time",
    ),
    "an interval that is none": (
        "schedule: { changes: §often }", "schedule.changes: 'often' is not an interval",
    ),
    "a weekday by number": (
        "schedule: { full: §0 5 * * 1 }",
        "schedule.full: cron has no weekday '1', weekdays are mon to sun",
    ),
    "an hour that does not exist": (
        "schedule: { full: §0 25 * * * }", "schedule.full: cron has no hour '25'",
    ),
    "a limit that is none": (
        "limits: { absent: §few }", "limits.absent: 'few' is not a limit (write `5`, `2%`",
    ),
    "a limit of a kind that is none": (
        "limits: { §abssent: 5 }", "unknown key 'abssent' under limits (did you mean 'absent'?)",
    ),
    "first_load that is neither": (
        "limits: { first_load: §wait }", "limits.first_load is hold or publish",
    ),
    "no userName": (
        "user: §{ name: { givenName: first, familyName: last },"
        " emails: [{value: mail, primary: true}] }",
        "user.userName is missing (Okta needs it of everybody)",
    ),
    "no primary e-mail": (
        "user: { userName: mail, name: { givenName: first, familyName: last },"
        " emails: §[{value: mail}] }",
        "one of user.emails needs `primary: true`",
    ),
    "two primary e-mails": (
        "user: { userName: mail, name: { givenName: first, familyName: last },"
        " emails: [{value: mail, type: work, primary: true},"
        " §{value: mail, type: home, primary: true}] }",
        "two elements of user.emails are primary",
    ),
    "two of one type": (
        "user: { userName: mail, name: { givenName: first, familyName: last },"
        " emails: [{value: mail, type: work, primary: true}, §{value: mail, type: work}] }",
        "two elements of user.emails have the type 'work'",
    ),
    "primary that is text": (
        "user: { userName: mail, name: { givenName: first, familyName: last },"
        " emails: [{value: mail, primary: true}, {value: mail, type: x, primary: §yes}] }",
        "user.emails: primary is true or false",
    ),
    "an unknown attribute of a user": (
        "user: { userName: mail, §dispalyName: first, name: { givenName: first, familyName: last },"
        " emails: [{value: mail, primary: true}] }",
        "unknown key 'dispalyName' under user (did you mean 'displayName'?)",
    ),
    "active among the attributes": (
        "user: { userName: mail, §active: 'true', name: { givenName: first, familyName: last },"
        " emails: [{value: mail, primary: true}] }",
        "unknown key 'active' under user (active is worked out under `active:`, beside `user:`)",
    ),
    "an option of a later version": (
        "enterprise: { department: { expr: dept, §on: create } }", "not supported yet: on",
    ),
    "an unknown option": (
        "enterprise: { department: { expr: dept, §max: 5 } }",
        "unknown key 'max' under enterprise.department",
    ),
    "expr and const": (
        "enterprise: { department: §{ expr: dept, const: x } }",
        "enterprise.department needs expr or const, one of them",
    ),
    "a length that is none": (
        "enterprise: { department: { expr: dept, max_length: §0 } }",
        "enterprise.department: max_length is a number of characters",
    ),
    "an unknown enterprise attribute": (
        "enterprise: { §departement: dept }", "unknown key 'departement' under enterprise",
    ),
    "a manager without a value": (
        "enterprise: { manager: §{ displayName: boss } }",
        "value is missing under enterprise.manager",
    ),
    "a link in the middle of a value": (
        "enterprise: { manager: { value: (boss | §ref('key')) or boss } }",
        "ref is the last step of an attribute's value",
    ),
    "a link in a rule": (
        "skip: [ { when: boss | §ref('key'), reason: r } ]", "ref is the last step",
    ),
    "a custom attribute without a type": (
        "custom: { urn: 'urn:x-test:a:User', attributes: { a: §{ expr: dept } } }",
        "custom.a needs a type",
    ),
    "a custom attribute of no type": (
        "custom: { urn: 'urn:x-test:a:User', attributes: { a: { type: §txt, expr: dept } } }",
        "custom.a needs a type (one of string",
    ),
    "a custom attribute called groups": (
        "custom: { urn: 'urn:x-test:a:User',"
        " attributes: { §groups: { type: string, expr: dept } } }",
        "'groups' cannot be the name of an attribute",
    ),
    "a schema that is SCIM's own": (
        "custom: { urn: §urn:ietf:params:scim:schemas:core:2.0:User,"
        " attributes: { a: { type: string, expr: dept } } }",
        "custom.urn is not a schema URN of your own",
    ),
    "a default of the wrong type": (
        "custom: { urn: 'urn:x-test:a:User',"
        " attributes: { §a: { type: integer, expr: dept | int, default: many } } }",
        "the fixed text of custom.a is text where a whole number is expected",
    ),
    "a rule without a reason": (
        "skip: [ §{ when: dept == 'x' } ]", "reason is missing under skip[1]",
    ),
    "then that is text": (
        "active: { rules: [ { when: dept == 'x', then: §no, reason: r } ],"
        " otherwise: { then: true, reason: r } }",
        "active.rules[1]: then is true or false",
    ),
    "no otherwise": ("active: §{ rules: [] }", "otherwise is missing under active"),
    "a group from a directory": (
        "groups: [ { base: §ou=x, filter: (cn=x), key: k, displayName: n,"
        " members: \"m | ref('dn')\" } ]",
        "this type of source has no groups of its own",
    ),
    "a group that is half one of a directory": (
        "groups: [ §{ base: ou=x, key: dept, displayName: dept } ]", "filter is missing",
    ),
    "a base that is no DN": (
        "groups: [ { base: §x, filter: (cn=x), key: k, displayName: n,"
        " members: \"m | ref('dn')\" } ]",
        "groups: base is no DN",
    ),
    "members that are no links": (
        "groups: [ { base: ou=x, filter: (cn=x), key: k, displayName: n, members: §m } ]",
        "members end in ref",
    ),
    "a depth of groups that is unknown": (
        "groups: [ { base: ou=x, filter: (cn=x), key: k, displayName: n, nested: §both,"
        " members: \"m | ref('dn')\" } ]",
        "groups: nested is flatten or direct",
    ),
    "a list that is a table": ("groups: §{ key: dept, displayName: dept }", "groups is a list"),
    "a test of an unknown attribute": (
        "tests: [ { name: t, record: { §mial: x }, expect: { active: true } } ]",
        "unknown attribute 'mial' in a record (did you mean 'mail'?)",
    ),
    "a test of what is not mapped": (
        "tests: [ { name: t, record: { mail: x }, expect: { §displayName: x } } ]",
        "nothing is mapped to 'displayName'",
    ),
    "a test without a zone": (
        "tests: [ { name: t, now: §2026-01-01T00:00:00, record: { id: x }, expect: { key: x } } ]",
        "now: a moment ends in Z or an offset",
    ),
    "a test that expects nothing": (
        "tests: [ §{ name: t, record: { id: x } } ]", "a test has expect or expect_error",
    ),
    "a lookup that is not there": (
        "vars:\n  x: lookup(dept, §'zones')", "there is no table 'zones' under lookups",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("section", "message"), CASES.values(), ids=CASES)
def test_a_fault_is_told_at_its_line_and_column(section, message, small_text, faults):
    marked = small_text(*section.replace("\nkey:", "\n\0key:").split("\n\0"))
    before = marked[: marked.index("§")]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    found = faults(marked.replace("§", ""))
    assert [fault for fault in found if fault.startswith(f"{line}:{column}: {message}")], found


def test_all_faults_are_told_at_once_in_the_order_of_the_file(faults):
    found = faults(
        "version: 2\n"
        "name: staff\n"
        "source: { type: table, colums: {} }\n"
        "vars: { x: mail | lowr }\n"
        "key: id |\n"
        "active: { otherwise: { then: maybe, reason: r } }\n"
        "user: { userName: mail | uper, name: { givenName: first }, emails: mail }\n"
        "limits: { absent: 101% }\n"
        "exernal_id: id\n"
    )
    assert [fault.partition(":")[0] for fault in found] == [
        "1", "3", "3", "4", "5", "6", "7", "7", "7", "7", "8", "9"
    ]  # fmt: skip


def test_a_secret_stands_in_no_fault(small_text, faults):
    found = faults(small_text("source: { type: table, path: x, password: hunter2 }"))
    assert "hunter2" not in "".join(found)


def test_a_file_that_is_not_a_table_is_one_fault(faults):
    assert faults("- a\n- b\n") == ["1:1: a mapping file is a table of keys and values"]
    assert faults("[]") == ["1:1: a mapping file is a table of keys and values"]
    assert faults("just text") == ["1:1: a mapping file is a table of keys and values"]


def test_an_empty_table_lacks_everything_that_is_needed(faults):
    assert [fault.split(" ")[1] for fault in faults("{}")] == [
        "active", "key", "name", "source", "user", "version"
    ]  # fmt: skip
