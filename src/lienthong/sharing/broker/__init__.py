"""Calls a provider's own service for a consumer, under an agreement, and leaves the ledger entry. Knows nothing of how the call came in."""

from lienthong.sharing.broker.book import Book, Offer
from lienthong.sharing.broker.broker import Broker
from lienthong.sharing.broker.messages import Answer, Call, Headers
from lienthong.sharing.broker.providers import Providers

__all__ = ["Answer", "Book", "Broker", "Call", "Headers", "Offer", "Providers"]
