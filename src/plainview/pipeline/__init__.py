"""Thin workflows: each step is one media or vault call and one action."""
