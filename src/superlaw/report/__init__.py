"""One self-contained HTML page from findings and figures: records of what it says, and the templates that show it."""
