"""Response headers: a strict content security policy and its friends."""

from __future__ import annotations

from flask import Flask, Response, current_app


def protect(app: Flask) -> None:
    """Give every page of the app the headers, unless it has set its own."""

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=()"
        )
        if response.mimetype == "text/html":
            response.headers.setdefault("Content-Security-Policy", content_policy())
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response


def content_policy() -> str:
    """Return the policy: nothing but of this shop, and of gateways where they are needed."""
    config = current_app.config
    script, connect, frame = (
        " ".join(config[f"STRIPE_CSP_{part}"]) for part in ("SCRIPT", "CONNECT", "FRAME")
    )
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {script}",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            f"connect-src 'self' {connect}",
            f"frame-src {frame}",
            f"form-action 'self' {' '.join(config['ADYEN_CSP_FORM'])}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        )
    )
