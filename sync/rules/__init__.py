"""What is decided about one object: attributes, fields, mapping, filters, scope, acceptance, changes, drift. No Django; may import the expressions and the clients."""
