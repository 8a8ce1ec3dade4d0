"""An operator as a process of its own: watches chains for a task engine, for as long as it runs."""
