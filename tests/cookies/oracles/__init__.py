"""Real clients that decide about the same lines as the profiles: http.cookiejar and curl."""
