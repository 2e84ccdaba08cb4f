"""What a subscriber is given next: all that lies on the broker when it asks, nothing fetched before (ADR 0075).

aiokafka fetches ahead, and once it holds anything it fetches no more until that is taken: what comes after it would
wait for the batch at work, and for the next one too. FastStream, when half a second brought nothing, looks away for
another half. Here nothing is fetched while a batch is at work, and nobody looks away.
"""

from itertools import chain

from aiokafka import AIOKafkaConsumer, ConsumerRecord

POLL_MS = 500
# Small enough that a full batch does not keep everything else of the process waiting for a second.
MAX_RECORDS = 200


async def next_batch(consumer: AIOKafkaConsumer) -> tuple[ConsumerRecord, ...]:
    """The next records, none if none come in time; from then on nothing is fetched until this is called again."""
    consumer.resume(*consumer.paused())
    fetched = await consumer.getmany(timeout_ms=POLL_MS, max_records=MAX_RECORDS)
    if fetched:
        consumer.pause(*consumer.assignment())
    return tuple(chain.from_iterable(fetched.values()))
