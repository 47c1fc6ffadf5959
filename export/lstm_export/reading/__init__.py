"""What a module's forward does, found by watching it run: its own answers decide."""
