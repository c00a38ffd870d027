"""How well matching does, beside Splink as its documentation uses it: the same data, the same machine, the same run."""
