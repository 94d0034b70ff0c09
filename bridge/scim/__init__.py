"""The web role: SCIM as Okta and others read it, from the store alone."""

from bridge.scim.routes import application

__all__ = ["application"]
