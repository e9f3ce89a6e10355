"""One file a figure: data(records) gives what is plotted, draw(data) only paints."""
