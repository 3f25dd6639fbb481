"""HQ: pulls signed summaries from many hubs; nothing of it runs on a hub."""
