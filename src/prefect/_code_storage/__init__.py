"""Places that flow code is taken from: git repositories, object stores, storage blocks, local folders."""
