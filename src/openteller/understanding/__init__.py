"""Understanding: what an inquiry says — language, entities, personal data, risk; the encoder's heads join in `reader`."""
