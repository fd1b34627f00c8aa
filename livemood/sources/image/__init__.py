"""Still pictures: decoding, orientation, colour, size checks."""
