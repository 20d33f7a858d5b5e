"""AWS IAM Identity Center's SCIM endpoint, by its Developer Guide and by what clients saw in the wild."""
