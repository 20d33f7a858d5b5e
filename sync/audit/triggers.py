"""PostgreSQL refuses to change and to delete entries, but for their place in the chain, once; and the chain's end only moves on.

An owner of the tables can take the triggers away: the chain (sync/audit/chain.py) shows what was done then, unless an older end
was put back, and all after it deleted. That, the lines that were shipped show. SQLite has no triggers: whoever may write to
the file owns it, and they would hold nobody up.
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

HEAD = "sync_audithead"
CREATE_HEAD = f"""
CREATE FUNCTION lockstep_keep_audit_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF NEW.id = OLD.id AND NEW.shipped <= NEW.position
      AND (NEW.position > OLD.position OR (NEW.position = OLD.position AND NEW.chain_hash = OLD.chain_hash)) THEN
      RETURN NEW;
    END IF;
  ELSIF NOT EXISTS (SELECT 1 FROM {HEAD} WHERE position > 0) THEN
    -- Nothing is chained yet: a backup may be restored here.
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'The end of the audit log only moves on.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER lockstep_keep_audit_head_row BEFORE UPDATE OR DELETE ON {HEAD}
  FOR EACH ROW EXECUTE FUNCTION lockstep_keep_audit_head();
CREATE TRIGGER lockstep_keep_audit_head_table BEFORE TRUNCATE ON {HEAD}
  FOR EACH STATEMENT EXECUTE FUNCTION lockstep_keep_audit_head();
"""  # noqa: S608
DROP_HEAD = f"""
DROP TRIGGER lockstep_keep_audit_head_row ON {HEAD};
DROP TRIGGER lockstep_keep_audit_head_table ON {HEAD};
DROP FUNCTION lockstep_keep_audit_head();
"""


def create(_apps: Any, schema_editor: Any) -> None:
    """For RunPython; other databases have the chain alone."""
    _execute(schema_editor, CREATE)


def drop(_apps: Any, schema_editor: Any) -> None:
    _execute(schema_editor, DROP)


def create_head(_apps: Any, schema_editor: Any) -> None:
    _execute(schema_editor, CREATE_HEAD)


def drop_head(_apps: Any, schema_editor: Any) -> None:
    _execute(schema_editor, DROP_HEAD)


def _execute(schema_editor: Any, statements: str) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(statements, params=None)
