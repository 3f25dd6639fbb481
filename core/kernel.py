"""The kernel put together: every room, and the door where messages come in."""

from collections.abc import Callable

from core.alarms.alarms import Alarms
from core.alarms.design import ByDesign
from core.api.reading import Value
from core.clock import Clock
from core.hub import Hub, JournalDoor, LinkDoor, Room
from core.people.access import Access
from core.people.cards import Cards
from core.people.keys import Keys
from core.people.people import People
from core.people.places import Places
from core.people.wear import Wear
from core.permits.attachments import Attachments
from core.permits.conflicts import Conflicts
from core.permits.entries import Entries
from core.permits.equipment import Equipment
from core.permits.gas_tests import GasTests
from core.permits.guardian_watch import GuardianWatch
from core.permits.isolation import Isolation
from core.permits.packs import Packs
from core.permits.people_facts import PeopleFacts
from core.permits.permits import Law, Permits
from core.permits.reminders import Reminders
from core.permits.sources import Source
from core.permits.surroundings import Surroundings
from core.permits.unread import Unread
from core.permits.view import Viewer
from core.readings.calibration import Meters
from core.readings.readings import Readings
from core.registry.commissioning import Commissioning
from core.registry.desk import DeviceDesk
from core.registry.ids import Ids
from core.registry.proposals import ProposalDesk
from core.registry.registry import Registry
from core.response.commands import Commands
from core.response.evacuations import Evacuations
from core.response.lamps import Lamps
from core.response.notices import Notices
from core.response.plans import Plans
from core.response.plans_desk import PlansDesk
from core.response.power import PowerEnd
from core.response.proofs import Proofs
from core.response.regulator import Regulators
from core.response.retention import Retention
from core.response.rounds import Rounds
from core.response.tasks import Tasks
from core.response.trips import Trips
from core.site.site import Site


class Kernel:
    """Hold the hub and its rooms in the order of the data's way.

    ``engine`` makes the automation engine from the kernel; the safety process
    loads it by name, so that core never imports it.
    """

    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        journal: JournalDoor,
        links: LinkDoor,
        engine: "Callable[[Kernel], Room] | None" = None,
    ) -> None:
        self.hub = hub = Hub(clock, ids, journal, links)
        self._make_site()
        self._make_people()
        self._make_sources()
        self._make_permits()
        self._make_response()
        # In the order of the data's way: what a room reads is armed before it.
        hub.rooms = [
            *(
                self.site,
                self.access,
                self.registry,
                self.alarms,
                self.readings,
                self.by_design,
            ),
            *(self.people, self.wear, self.commands, self.notices),
            *(self.cards, self.keys),
            *(self.places, self.people_facts, self.surroundings, self.conflicts),
            *(self.meters, self.gas_tests, self.isolation, self.entries),
            *(self.permits, self.guardians, self.reminders, self.attachments),
            self.unread,
            *(self.evacuations, self.power, self.lamps, self.tasks, self.plans),
            self.regulators,
            *(self.rounds, self.proofs, self.trips, self.commissioning, self.retention),
        ]
        if engine is not None:
            hub.rooms.append(engine(self))

    def _make_site(self) -> None:
        """Make what hears the devices and tells of danger."""
        hub = self.hub
        self.site = Site(hub)
        self.access = Access(hub)
        self.registry = Registry(hub)
        DeviceDesk(self.registry, self.access)
        ProposalDesk(self.registry, self.access)
        self.alarms = Alarms(hub, self.access)
        self.readings = Readings(hub, self.registry, self.alarms)
        self.by_design = ByDesign(
            hub, self.access, self.registry, self.readings, self.alarms
        )

    def _make_people(self) -> None:
        """Make what knows people, and what reaches them and their outputs."""
        hub = self.hub
        self.people = People(hub, self.registry, self.readings, self.site, self.access)
        self.wear = Wear(hub, self.registry, self.access)
        self.commands = Commands(hub, self.registry, self.readings, self.alarms)
        self.notices = Notices(
            hub, self.people, self.registry, self.commands, self.alarms
        )
        self.cards = Cards(hub, self.access, self.notices.tell)
        self.keys = Keys(hub, self.access)
        self.places = Places(hub, self.site, self.people)

    def _make_sources(self) -> None:
        """Make who tells the facts that a pack's rules ask for."""
        hub, access, site = self.hub, self.access, self.site
        self.packs = Packs(hub)
        self.people_facts = PeopleFacts(hub, access, self.people, self.cards, site)
        self.unread = Unread(hub, self.packs, self.alarms)
        self.surroundings = Surroundings(hub, site, self.readings, access)
        self.conflicts = Conflicts(hub, self.packs, self.people, self.alarms)
        self.attachments = Attachments(hub, access, self.packs)
        self.guardians = GuardianWatch(
            hub, access, self.people_facts, self.notices, self.places
        )
        self.meters = Meters(hub, self.readings, self.alarms, access)
        roster = self.people_facts.roster
        self.gas_tests = GasTests(
            hub, access, self.readings, self.meters, self.packs, roster
        )
        self.isolation = Isolation(hub, access, self.people, self.packs)
        self.entries = Entries(
            hub, access, self.people, self.alarms, self.packs, roster
        )
        self.sources: tuple[Source, ...] = (
            self.attachments.recordings,
            *(self.people_facts, self.surroundings, self.conflicts),
            *(self.gas_tests, self.isolation, self.entries),
        )

    def _make_permits(self) -> None:
        """Make the permits, and join to them what stands on them."""
        hub = self.hub
        law = Law(self.packs, self.places, self.people_facts.roster, self.sources)
        self.permits = Permits(
            hub, self.access, self.site, self.readings, self.people, law
        )
        self.permits.watch.clear = self._clear
        self.permits.bench.empty = self.entries.empty
        self.permits.bench.untested = self.gas_tests.owed
        self.surroundings.hold = self.permits.hold
        self.conflicts.tell = self.permits.facts.of
        Equipment(hub, self.permits.hold)
        self.reminders = Reminders(
            hub,
            self.packs,
            self.permits.life,
            Viewer(self.permits.bench),
            self.notices,
            self.surroundings,
        )

    def _make_response(self) -> None:
        """Make what answers danger: evacuations, the end of power, lamps, plans."""
        hub = self.hub
        self.evacuations = Evacuations(
            hub, self.access, self.site, self.people, self.commands, self.alarms
        )
        self.power = PowerEnd(
            hub, self.access, self.people, self.notices, self.permits, self.alarms
        )
        self.lamps = Lamps(hub, self.registry, self.readings, self.commands)
        self.trips = Trips(hub, self.registry, self.readings)
        self.tasks = Tasks(hub, self.people, self.notices, self.alarms)
        self.retention = Retention(hub, self.access, self.packs)
        self.cards.stands_in = self.retention.stands_in
        self.plans = Plans(hub, self.notices)
        PlansDesk(hub, self.access, self.plans)
        self.regulators = Regulators(
            hub, self.access, self.plans, self.notices, self.alarms
        )
        self.commissioning = Commissioning(hub, self.access)
        self.rounds = Rounds(hub, self.people, self.places, self.notices, self.tasks)
        self.proofs = Proofs(
            hub,
            self.access,
            self.registry,
            self.commands,
            self.notices,
            self.alarms,
        )

    def _clear(self, zones: list[str], code: str, params: dict[str, Value]) -> None:
        """Clear zones because a permit's rule says so; no automation is needed."""
        self.evacuations.start(zones, code, params=params)
