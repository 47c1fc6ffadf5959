"""Files of texts in, the same files with answers out: resumable, on all cores."""
