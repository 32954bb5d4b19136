"""The bytes: originals encrypted and written once, their keys apart, and the custody log's tree. No Django, no clock."""
