"""The training loop, the state that an interrupted run resumes from, and its report."""
