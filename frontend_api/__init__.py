"""The gateway: REST, event streams, logins and the web app (design §3)."""
