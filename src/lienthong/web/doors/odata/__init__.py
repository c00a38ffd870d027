"""OData v4 for Excel, Power BI and whoever reads tables by address: `/odata/v4/`.

The set of every dataset the caller may list; what the standard has and this service does not is refused with 501, never passed over.
Nothing is written through this door.
"""
