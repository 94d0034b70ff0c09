"""The mapping file: what it is made of, checked when it is loaded, and what it makes of people.

    text --yaml_text--> tree --document--> Document --compile--> Mapping --program--> Mapped

Nothing here knows a source, the store or SCIM's wire format, and nothing but secrets and the
clock given by the caller comes from outside the file.
"""

from bridge.mapping.compile import load
from bridge.mapping.explanation import Explained, Explanation
from bridge.mapping.limits import Limit, Limits
from bridge.mapping.mapping import Mapping
from bridge.mapping.schedule import Schedule
from bridge.mapping.source_section import SourceModel, resolve_secrets
from bridge.mapping.trials import TestResult, run_tests

__all__ = [
    "Explained",
    "Explanation",
    "Limit",
    "Limits",
    "Mapping",
    "Schedule",
    "SourceModel",
    "TestResult",
    "load",
    "resolve_secrets",
    "run_tests",
]
