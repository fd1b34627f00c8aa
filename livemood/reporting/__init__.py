"""HTML pages, plots and tables, for reports on recordings, model cards and evaluations."""
