"""Many photos and videos into one Parquet data set, on this machine or on a cluster."""
