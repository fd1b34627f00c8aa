"""What a recording comes to: an HTML page and a picture of it, made from its records."""

from livemood.report.page import write_report
from livemood.report.plot import write_plot

__all__ = ["write_plot", "write_report"]
