"""The authorisation server: Authlib's protocol over our accounts, sessions and clients."""
