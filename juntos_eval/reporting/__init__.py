"""Tables, figures and the page that a researcher opens: they read estimates and compute none."""
