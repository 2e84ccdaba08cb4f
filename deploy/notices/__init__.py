"""The notice at collection (11 CCR 7012) and the privacy policy's tables (11 CCR 7011), from the data maps."""
