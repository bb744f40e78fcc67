"""Running a model: protocols, one backend per engine, the fake that ships, and the catalogue of weights."""
