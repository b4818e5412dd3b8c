"""Records: the imagery series as other catalogues read them, in ISO 19139."""
