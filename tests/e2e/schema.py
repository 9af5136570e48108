# SPDX-License-Identifier: LGPL-2.1-or-later
"""What docs/schema/wnbd-client.json promises, checked with the words of JSON Schema that are used there; others fail."""

import json
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent.parent / "docs" / "schema" / "wnbd-client.json"
TYPES = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list, "null": type(None)}
SILENT = {"description", "required", "additionalProperties"}  # the last two go with "properties"


class Schema:
    def __init__(self):
        self.definitions = json.loads(FILE.read_text())["$defs"]

    def check(self, command, text):
        """`text` is what the command has printed; answers the value."""
        value = json.loads(text)
        problem = self.problem(self.definitions[command], value, command)
        assert problem is None, f"{problem}\n{text}"
        return value

    def problem(self, schema, value, where):
        """What is wrong, or None."""
        for word, argument in schema.items():
            if word in SILENT:
                continue
            found = getattr(self, "word_" + word.lstrip("$"))(schema, argument, value, where)
            if found:
                return found
        return None

    def word_ref(self, _, reference, value, where):
        return self.problem(self.definitions[reference.removeprefix("#/$defs/")], value, where)

    def word_type(self, _, names, value, where):
        names = [names] if isinstance(names, str) else names
        right = any(isinstance(value, TYPES[name]) and (name == "boolean") == isinstance(value, bool) for name in names)
        return None if right else f"{where} is {value!r}, no {names}"

    def word_enum(self, _, values, value, where):
        return None if value in values else f"{where} is {value!r}, none of {values}"

    def word_minimum(self, _, minimum, value, where):
        return None if value is None or value >= minimum else f"{where} is {value}, below {minimum}"

    def word_items(self, _, schema, value, where):
        return next(filter(None, (self.problem(schema, one, f"{where}[]") for one in value)), None)

    def word_anyOf(self, _, schemas, value, where):
        problems = [self.problem(schema, value, where) for schema in schemas]
        return None if None in problems else " and ".join(problems)

    def word_properties(self, schema, properties, value, where):
        missing = set(schema["required"]) - set(value)
        surplus = set(value) - set(properties)
        if missing or surplus:
            return f"{where} lacks {sorted(missing)} and has {sorted(surplus)} besides"
        found = (self.problem(properties[name], one, f"{where}.{name}") for name, one in value.items())
        return next(filter(None, found), None)
