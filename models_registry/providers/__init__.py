"""How each kind of provider is talked to; no Django in here."""
