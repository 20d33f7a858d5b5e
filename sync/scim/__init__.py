"""The SCIM 2.0 client (RFC 7643, RFC 7644) with the limits of AWS IAM Identity Center. Pure: no Django."""
