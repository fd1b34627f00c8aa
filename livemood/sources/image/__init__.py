"""Still pictures: decoding, orientation and a guard against huge sizes."""
