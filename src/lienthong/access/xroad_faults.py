"""The faults this platform answers X-Road requests with, by name. Compared and spelled in `access.xroad`."""

from __future__ import annotations

ACCESS_DENIED = "server.serverproxy.access_denied"
UNKNOWN_SERVICE = "server.serverproxy.unknown_service"
UNKNOWN_MEMBER = "server.serverproxy.unknown_member"
SERVICE_FAILED = "server.serverproxy.service_failed"
INTERNAL_ERROR = "server.serverproxy.internal_error"
NOT_AUTHENTICATED = "server.clientproxy.ssl_authentication_failed"
INVALID_CLIENT = "client.invalid_client_identifier"
BAD_REQUEST = "client.bad_request"
INVALID_REQUEST = "client.invalid_request"
MISSING_HEADER = "client.missing_header_field"
INVALID_SOAP = "client.invalid_soap"
INVALID_XML = "client.invalid_xml"
INVALID_CONTENT = "client.invalid_content_type"
INVALID_PROTOCOL = "client.invalid_protocol_version"
INCONSISTENT = "client.inconsistent_headers"
