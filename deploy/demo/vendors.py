"""The vendors of the demonstration: onboarded as any is, and run as the example that vendors get."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.onboarding import onboard, topics_of
from services.fulfillment.vendors.files import OverKafka, Vendor, load_vendors
from shared.events.topics import DIRECTIVES, Topic
from shared.settings import Settings

VENDORS = Path(__file__).parents[1] / "vendors"
EXAMPLE = Path(__file__).parents[2] / "examples" / "vendor" / "vendor.py"
STOP_SECONDS = 5.0


class Vendors:
    """Everybody who is told over Kafka; those of the demonstration's business are at work."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # An installed package holds no examples: then nobody is told.
        described = load_vendors(VENDORS) if EXAMPLE.exists() else ()
        self._told = [one for one in described if isinstance(one.told, OverKafka)]
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def topics(self) -> list[Topic]:
        """What they read and write."""
        return [topic for one in self._told for topic in topics_of(one.vendor)]

    @property
    def at_work(self) -> list[Vendor]:
        """Those who have data of the demonstration's people."""
        return [one for one in self._told if one.business == self._settings.business]

    @property
    def environment(self) -> dict[str, str]:
        """What fulfillment must know of them."""
        return {"HABEAS_FULFILLMENT_VENDORS": str(VENDORS) if self._told else ""}

    def folder(self, vendor: str) -> Path:
        """What a vendor was handed over, and where it keeps its people."""
        return self._settings.home / "vendors" / vendor

    def furnish(self, emails: Sequence[str]) -> None:
        """Onboard them, and let each know everybody."""
        for one in self._told:
            onboard(self._settings, one)
        for one in self.at_work:
            with closing(sqlite3.connect(self.folder(one.vendor) / "people.sqlite")) as people, people:
                people.execute("CREATE TABLE people (email TEXT PRIMARY KEY, opted_out INTEGER DEFAULT 0)")
                people.executemany(
                    "INSERT OR IGNORE INTO people (email) VALUES (?)", [(email,) for email in emails]
                )

    def people_of(self, vendor: str) -> dict[str, bool]:
        """Whom a vendor still knows, and whether they opted out."""
        with closing(sqlite3.connect(self.folder(vendor) / "people.sqlite")) as people:
            return {email: bool(out) for email, out in people.execute("SELECT email, opted_out FROM people")}

    def erase(self, vendor: str, email: str) -> None:
        """One deletes somebody without its program."""
        with closing(sqlite3.connect(self.folder(vendor) / "people.sqlite")) as people, people:
            people.execute("DELETE FROM people WHERE email = ?", (email,))

    async def forget_place(self, vendor: str) -> None:
        """Put its group back to the beginning, as a vendor does who restores an old backup."""
        topic = DIRECTIVES.of(vendor)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka_bootstrap, group_id=vendor, enable_auto_commit=False
        )
        async with consumer:
            places = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
            consumer.assign(places)
            await consumer.commit(dict.fromkeys(places, 0))

    def start(self, *names: str) -> None:
        """Start the example once for each who is at work, or for those that are named."""
        for one in self.at_work:
            if names and one.vendor not in names:
                continue
            folder = self.folder(one.vendor)
            words = [
                *("--kafka", self._settings.kafka_bootstrap, "--name", one.vendor),
                *("--keys", str(folder / "private.jwks.json"), "--habeas", str(folder / "habeas.jwks.json")),
                *("--people", str(folder / "people.sqlite")),
            ]
            with (folder / "vendor.log").open("ab") as log:
                self._processes.append(
                    subprocess.Popen(  # noqa: S603 - our own interpreter and example
                        [sys.executable, str(EXAMPLE), *words],
                        env=dict(os.environ),
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )
                )

    def stop(self) -> None:
        """End them; what they did is in their files."""
        ending, self._processes = self._processes, []
        for process in ending:
            # It leaves its group, so that whoever reads next need not wait. To Ctrl-C a shell's `&` makes it deaf.
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in ending:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
