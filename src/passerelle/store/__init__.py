"""The only SQL: one file of named queries and one module of typed functions per subject."""
