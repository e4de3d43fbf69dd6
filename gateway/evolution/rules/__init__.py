"""The conventions of a schema, one function a rule: it takes the schema and yields what departs from it."""
