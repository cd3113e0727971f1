"""The typed nodes of the policy language, one file per kind."""
