"""The few small files that this program keeps."""
