"""
Changes code in every small way there is, and sees what its judge notices; no part of any distribution.

Rule 1: a judge is alone: what another test would notice does not count.
Rule 2: a mutant that survives is explained on the page of its judge, or the run ends with 1.
"""
