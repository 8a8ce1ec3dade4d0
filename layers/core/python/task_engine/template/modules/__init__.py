"""Vendored JavaScript modules (scripts/vendor_js_modules.sh makes them)."""
