"""What the jobs need of their neighbours: one small Protocol each. Adapters do not subclass them."""

from wanvideo.ports.ledger import Ledger
from wanvideo.ports.provider import (
    Account,
    ClipStream,
    Order,
    Pace,
    Provider,
    TaskListing,
    TaskPage,
    TaskReport,
    TaskStatus,
    Upload,
)
from wanvideo.ports.records import (
    Budget,
    Ending,
    Lease,
    NewJob,
    NoSlot,
    Once,
    OverBudget,
    RunningTask,
    Sighting,
    Spending,
)
from wanvideo.ports.store import Keep, StoredObject, VideoStore

__all__ = [
    "Account",
    "Budget",
    "ClipStream",
    "Ending",
    "Keep",
    "Lease",
    "Ledger",
    "NewJob",
    "NoSlot",
    "Once",
    "Order",
    "OverBudget",
    "Pace",
    "Provider",
    "RunningTask",
    "Sighting",
    "Spending",
    "StoredObject",
    "TaskListing",
    "TaskPage",
    "TaskReport",
    "TaskStatus",
    "Upload",
    "VideoStore",
]
