"""What pages, probes, metrics, mails and commands read of the installation's health."""
