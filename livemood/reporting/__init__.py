"""Pages, plots and tables: the report of a recording, and what model cards and evaluations share with it."""
