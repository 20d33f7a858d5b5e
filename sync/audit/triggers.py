"""PostgreSQL refuses to change and to delete entries; all that it lets pass is their place in the chain, once.

An owner of the table can take the triggers away: the chain (sync/audit/chain.py) shows what was done then.
"""

from typing import Any

TABLE = "sync_auditentry"
PLACE = "'{position,chain_hash}'::text[]"

CREATE = f"""
CREATE FUNCTION lockstep_keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.position IS NULL AND to_jsonb(NEW) - {PLACE} = to_jsonb(OLD) - {PLACE} THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'The audit log is append-only.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER lockstep_keep_audit_rows BEFORE UPDATE OR DELETE ON {TABLE}
  FOR EACH ROW EXECUTE FUNCTION lockstep_keep_audit();
CREATE TRIGGER lockstep_keep_audit_table BEFORE TRUNCATE ON {TABLE}
  FOR EACH STATEMENT EXECUTE FUNCTION lockstep_keep_audit();
"""
DROP = f"""
DROP TRIGGER lockstep_keep_audit_rows ON {TABLE};
DROP TRIGGER lockstep_keep_audit_table ON {TABLE};
DROP FUNCTION lockstep_keep_audit();
"""


def create(_apps: Any, schema_editor: Any) -> None:
    """For RunPython; other databases have the chain alone."""
    _execute(schema_editor, CREATE)


def drop(_apps: Any, schema_editor: Any) -> None:
    _execute(schema_editor, DROP)


def _execute(schema_editor: Any, statements: str) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(statements, params=None)
