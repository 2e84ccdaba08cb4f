"""What Parquet files and Delta tables share: whole columns, and the values that are nested in them."""
