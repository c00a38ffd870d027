"""The demo province: its registers, its agencies' systems, and what runs them. No part of the product."""
