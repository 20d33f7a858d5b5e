"""Microsoft Entra ID's token endpoint and the directory part of Microsoft Graph v1.0."""
