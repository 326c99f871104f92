"""Webhook endpoints, and mailers, inside of other people's frameworks.

Rule 1: one file for each framework, with the same verbs. What they share is `_endpoint`, which knows none
        of them, so that every embedding answers the same delivery with the same bytes.
Rule 2: nothing is imported but the framework that a file is named for.
"""
