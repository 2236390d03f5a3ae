"""The audit log: what a row holds, that it stays, that the chain proves it, and its pages."""
