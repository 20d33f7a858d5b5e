"""The rehearsal lab: Entra ID, Microsoft Graph and AWS IAM Identity Center, played on localhost.

Written from the vendors' documents, apart from the product's clients: nothing here imports the product, and nothing of
the product imports this. It is reached over HTTP(S) only.
"""
