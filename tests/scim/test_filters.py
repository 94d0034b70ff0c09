"""A filter is one comparison that can be looked up, or it is refused."""

from __future__ import annotations

import pytest

from bridge.model import Kind
from bridge.scim import filters
from bridge.scim.errors import ScimError

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@pytest.mark.parametrize(
    ("kind", "text", "match"),
    [
        (Kind.USER, 'userName eq "anna@example.com"', ("userName", "anna@example.com")),
        (Kind.USER, 'USERNAME EQ "Anna"', ("userName", "Anna")),
        (Kind.USER, '  userName   eq\t"a"  ', ("userName", "a")),
        (Kind.USER, '(userName eq "a")', ("userName", "a")),
        (Kind.USER, f'{USER}:userName eq "a"', ("userName", "a")),
        (Kind.USER, f'{USER.upper()}:username eq "a"', ("userName", "a")),
        (Kind.USER, 'externalId eq "P1"', ("externalId", "P1")),
        (Kind.USER, 'id eq "7"', ("id", "7")),
        (Kind.USER, 'userName eq ""', ("userName", "")),
        (Kind.USER, r'userName eq "a\"b\\c\/d\n"', ("userName", 'a"b\\c/d\n')),
        (Kind.USER, r'userName eq "J\u00f6rg"', ("userName", "Jörg")),
        (Kind.USER, r'userName eq "\ud83d\ude00"', ("userName", "😀")),
        (Kind.USER, 'userName eq "田中@例え.jp"', ("userName", "田中@例え.jp")),
        (Kind.USER, 'userName eq "\' or 1=1 --"', ("userName", "' or 1=1 --")),
        (Kind.GROUP, 'displayName eq "Department Sales"', ("displayName", "Department Sales")),
        (Kind.GROUP, 'displayname Eq "x"', ("displayName", "x")),
        (Kind.GROUP, f'{GROUP}:displayName eq "x"', ("displayName", "x")),
        (Kind.GROUP, 'externalId eq "x"', ("externalId", "x")),
        (Kind.GROUP, 'id eq "x"', ("id", "x")),
    ],
)
def test_a_comparison_that_can_be_looked_up_is_understood(
    kind: Kind, text: str, match: tuple[str, str]
) -> None:
    assert filters.parse(kind, text) == match


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.USER, ""),
        (Kind.USER, " "),
        (Kind.USER, "userName"),
        (Kind.USER, "userName eq"),
        (Kind.USER, "userName eq anna"),
        (Kind.USER, "userName eq 'anna'"),
        (Kind.USER, 'userName eq "anna'),
        (Kind.USER, 'userName eq "a" "b"'),
        (Kind.USER, "userName pr"),
        (Kind.USER, 'userName ne "a"'),
        (Kind.USER, 'userName sw "a"'),
        (Kind.USER, 'userName eq "a" or userName eq "b"'),
        (Kind.USER, 'userName eq "a" and id eq "b"'),
        (Kind.USER, 'not (userName eq "a")'),
        (Kind.USER, "userName eq 7"),
        (Kind.USER, "userName eq true"),
        (Kind.USER, "externalId eq null"),
        (Kind.USER, 'displayName eq "x"'),
        (Kind.USER, "active eq true"),
        (Kind.USER, 'nonsense eq "x"'),
        (Kind.USER, 'userName.value eq "x"'),
        (Kind.USER, f'{ENTERPRISE}:userName eq "x"'),
        (Kind.USER, f'{GROUP}:userName eq "x"'),
        (Kind.USER, 'meta.lastModified gt "2020-04-07T14:19:34Z"'),
        (Kind.USER, 'emails[type eq "work"]'),
        (Kind.USER, 'userName eq "a\x00"'),
        (Kind.USER, r'userName eq "\x"'),
        (Kind.USER, f'userName eq "{"a" * 4096}"'),
        (Kind.USER, "(" * 4000),
        (Kind.USER, "not (" * 600 + 'userName eq "a"' + ")" * 600),
        (Kind.GROUP, 'userName eq "x"'),
        (Kind.GROUP, 'members eq "x"'),
        (Kind.GROUP, f'{USER}:displayName eq "x"'),
    ],
)
def test_any_other_filter_is_refused(kind: Kind, text: str) -> None:
    with pytest.raises(ScimError) as refused:
        filters.parse(kind, text)
    assert (refused.value.status, refused.value.scim_type) == (400, "invalidFilter")


def test_a_refusal_does_not_repeat_the_filter() -> None:
    with pytest.raises(ScimError) as refused:
        filters.parse(Kind.USER, 'userName co "anna.secret@example.com"')
    assert "anna" not in refused.value.detail
