"""Starting the programs of components and keeping them: rows say what, keepers do it."""
