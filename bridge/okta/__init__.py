"""Okta's side: what an import makes of what is served."""
