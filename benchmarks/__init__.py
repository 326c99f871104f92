"""
What mailcore costs, beside what a user would pick instead; no part of any distribution.

Rule 1: contenders do the same work in the same run, in turn. Only ratios count: the machine is anybody's.
Rule 2: what is measured is the CPU time of this process, on a core of its own; a provider is another process,
        on another core. Where waiting is the work, it is the time on the wall.
Rule 3: what is the same on every machine, counts and memory, is a test: `goals.COUNTED` names each.
Rule 4: a measurement knows no goal, and a goal measures nothing: `goals` holds what was found against what
        was promised, and a page says both, reached or missed.
"""
