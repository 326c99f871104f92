"""The sandbox as a web application: the providers' APIs, a JSON feed, and a page (extra `sandbox`)."""
