"""Mail that is sent by a worker: one file for each task queue, and what they share."""
