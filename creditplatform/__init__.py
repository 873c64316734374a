"""The platform: settings, addresses, background work and the core that every app stands on."""
