"""
Attacks what strangers can reach: webhooks, incoming mail, JSON, forms, addresses; in no distribution.

    python -m fuzz.inbound      hostile mail, and mutations of it: every accessor is total, soon, and small
    python -m fuzz.webhooks     mutated deliveries: no stray error, no forgery, documented statuses only
    python -m fuzz.flips        every bit of key, signature and body
    python -m fuzz.replays      duplicates, reordering and crashes: nothing lost, nothing handled twice
    python -m fuzz.messages     hostile messages: no header holds a line break of its input
    python -m fuzz.speed        deliveries a second, beside what the signature alone costs
    python -m fuzz.guided       inputs that a coverage-guided fuzzer chooses (atheris)

Each has --help, prints its figures with machine, date and commit, exits 1 where a promise is broken, and
keeps the input that broke it. They run in the root of the repository.

Rule: what decides whether a promise is broken shares no code with what is attacked.
"""
