"""The groups that settings are organised in, one file each; `root` holds them all."""
