"""Stage 5: intent, request, result; outcomes into links."""
