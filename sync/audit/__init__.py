"""Who did what: one entry at every write that a person asks for. Callers say `audit.record`; imports the models and keys alone."""

from sync.audit.log import ITSELF, entry, record, record_all, tenant_of

__all__ = ["ITSELF", "entry", "record", "record_all", "tenant_of"]
