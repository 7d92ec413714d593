"""The forwarder to a context broker."""
