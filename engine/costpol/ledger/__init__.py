"""Budgets in use: what is spent and what is set aside, exactly, across requests, processes and policy reloads."""
