"""What is counted, for Prometheus. Numbers and kinds only, never a customer's words."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.35, 0.6, 1.0, 2.0, 4.0, 8.0, 16.0)


class Metrics:
    """One registry per gateway."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.messages = Counter("desk_messages", "Messages of customers", ["channel"], registry=self.registry)
        self.turns = Counter("desk_turns", "Turns by outcome", ["channel", "outcome"], registry=self.registry)
        self.turn_seconds = Histogram(
            "desk_turn_seconds", "From taking a turn to its stored answer", registry=self.registry, buckets=_SECONDS
        )
        self.rasa_seconds = Histogram("desk_rasa_seconds", "Waiting for Rasa", registry=self.registry, buckets=_SECONDS)
        self.errors = Counter("desk_errors", "What went wrong", ["kind"], registry=self.registry)
        self.working = Gauge("desk_conversations_working", "Conversations being answered", registry=self.registry)
        self.streams = Gauge("desk_event_streams", "Open event streams", registry=self.registry)
        self.limited = Counter("desk_limited", "Requests refused with 429", ["what"], registry=self.registry)
        self.deliveries = Counter("desk_deliveries", "Carried to Telegram", ["outcome"], registry=self.registry)

    def text(self) -> bytes:
        return generate_latest(self.registry)
