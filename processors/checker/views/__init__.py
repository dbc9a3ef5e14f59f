"""Views of a report: text for a terminal, Markdown for a ticket, HTML for printing; all from one outline."""
