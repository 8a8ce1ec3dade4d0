"""Running a plan: claim, load, run and store a step; finish and resume an execution."""
