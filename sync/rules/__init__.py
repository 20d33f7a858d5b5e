"""What is decided about one object: attributes, fields, mapping, filters, scope, acceptance, changes. No Django."""
