"""Earlier import paths of names that integration packages ask for here first."""
