"""Made-up recordings and the demonstration that is played with them. Nobody real is in them."""
