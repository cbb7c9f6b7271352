"""A customer's own data: finding it, showing it, removing it. Everything follows from the store's own references."""

from crm.privacy.erasing import Receipt, erase, finish_erasures
from crm.privacy.exporting import export
from crm.privacy.reapplying import ErasureRecord, erasure_records, reapply_erasures
from crm.privacy.retention import Pruned, prune
from crm.privacy.subjects import Subject, find, of_conversation, still_needed

__all__ = [
    "ErasureRecord",
    "Pruned",
    "Receipt",
    "Subject",
    "erase",
    "erasure_records",
    "export",
    "find",
    "finish_erasures",
    "of_conversation",
    "prune",
    "reapply_erasures",
    "still_needed",
]
