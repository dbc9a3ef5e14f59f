"""The format of records: schemas, codec, headers, partitions."""
