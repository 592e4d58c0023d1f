"""Web pages for the public: right on a phone, nothing loaded from elsewhere, nothing trusted that they are sent."""
