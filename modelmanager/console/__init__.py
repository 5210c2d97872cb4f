"""The operator's console: a door above all apps. It parses, calls one service, and presents; no rules here."""
