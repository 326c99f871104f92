"""Mail that is sent by a worker: one file for each task queue, and what they share."""

from mailcore.queues._job import Job
from mailcore.queues._journal import Journal
from mailcore.queues._review import ReviewList, Unsettled
from mailcore.queues._stowage import AttachmentStore

__all__ = ["AttachmentStore", "Job", "Journal", "ReviewList", "Unsettled"]
