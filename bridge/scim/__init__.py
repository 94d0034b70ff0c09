"""The web role: SCIM as Okta and others read it, from the store alone.

    request --gate--> endpoint --query, search_request--> Query --reader--> Page --dialect--> bytes

The gate asks for the token and turns errors into answers; `routes` puts everything together. What
a filter may name and discovery tells is in `schemas`; how it all looks on the wire is in `v2_0`.
"""

from bridge.scim.routes import application

__all__ = ["application"]
