"""The API's description (OpenAPI 3.1), made from the code; only the build imports this."""
