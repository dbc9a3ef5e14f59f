"""Views of a report: text for a terminal, Markdown for a ticket, HTML to print; all from one outline."""
