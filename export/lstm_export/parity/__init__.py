"""The proof that an exported file answers like the original."""
