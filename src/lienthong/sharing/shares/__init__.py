"""Tables of a share: datasets as Parquet files made under one right, and what changed between their versions (Delta Sharing)."""
