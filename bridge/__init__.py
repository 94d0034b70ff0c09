"""The bridge tells Okta who works here, from what the company's directory or HR system says."""

__version__ = "0.1.0"
