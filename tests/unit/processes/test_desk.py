"""The desk: routes, answers once durable, streams to replicas, counts nonsense."""

import msgspec

from core import config
from core import state as states
from core.api.quality import Quality
from core.journal import envelope as envelopes
from core.journal import fold
from core.journal.writer import DiskFault, DiskOk
from core.link import messages as m
from core.processes.acts import ArmConfig
from core.processes.pulse import HOPELESS, SILENT
from tests.support.office import DEVICE, LOOP, Office, raised
from tests.support.site import small_site


def test_host_is_welcomed_with_its_options_and_secrets() -> None:
    """Design §5 Security: secrets go to a host over its link."""
    office = Office()
    office.join("host:loop", "host")
    (welcome,) = office.of("host:loop", m.Welcome)
    assert isinstance(welcome, m.Welcome)
    assert (welcome.options, welcome.secrets) == ({"a": 1}, {"pass": "s"})


def test_event_is_answered_once_durable_and_written_once() -> None:
    """Design §2: acknowledged after it is durable; a repeat is harmless."""
    office = Office()
    host = office.join("host:loop", "host")
    host.send(m.Declare(DEVICE, {"h2s": 1}))
    office.turn()
    office.journal.held = True
    event = m.DeviceEvent("d", "sos", {}, "e-1")
    host.send(event)
    host.send(event)
    office.turn()
    assert office.of("host:loop", m.EventDurable) == []
    office.journal.sync()
    office.hub.durable(office.journal.durable_seq)
    office.turn()
    answers = office.of("host:loop", m.EventDurable)
    assert answers == [m.EventDurable("e-1")] * 2
    kinds = [envelopes.decode(data).type for data in office.journal.stored]
    assert kinds.count("device.reported") == 1


def test_event_that_a_failing_disk_held_is_answered_when_it_is_well() -> None:
    office = Office()
    host = office.join("host:loop", "host")
    office.journal.broken = True
    host.send(m.DeviceEvent("nobody", "sos", {}, "e-2"))
    office.turn()
    office.health.notice(DiskFault("journal_disk_full", "x"))
    office.turn()
    assert office.of("host:loop", m.EventDurable) == []
    assert raised(office, "fault.disk") == ["hub:disk"]
    office.journal.broken = False
    office.journal.sync()
    office.hub.durable(office.journal.durable_seq)
    office.health.notice(DiskOk())
    office.turn()
    assert office.of("host:loop", m.EventDurable) == [m.EventDurable("e-2")]
    assert raised(office, "fault.disk") == []


def test_replica_folds_the_same_state() -> None:
    """ADR 3: snapshot and stream give what core holds."""
    office = Office()
    office.join("gateway", "gateway")
    host = office.join("host:loop", "host")
    host.send(m.Declare(DEVICE, {"h2s": 1}))
    office.turn()
    (snapshot,) = office.of("gateway", m.Snapshot)
    assert isinstance(snapshot, m.Snapshot)
    state = states.load(snapshot.state)
    for message in office.of("gateway", m.Events):
        assert isinstance(message, m.Events)
        for data in message.envelopes:
            fold.replay(state, envelopes.decode(data))
    assert states.dump(state) == office.hub.snapshot()


def test_what_a_peer_has_no_business_to_say_is_counted() -> None:
    office = Office()
    gateway = office.join("gateway", "gateway")
    gateway.send(m.Ping(1))
    gateway.send(m.Stop("please"))
    office.turn()
    assert office.desk.counters["gateway.unexpected"] == 2
    assert office.server.peers("gateway") == ["gateway"]


def test_operator_arms_and_a_refused_bundle_changes_nothing() -> None:
    """Design §5 Configuration."""
    office = Office()
    cli = office.join("cli:1", "caller")
    data = config.dump(small_site())
    digest = config.digest(data)
    office.bundles[digest] = data
    office.bundles["f" * 64] = b"not what its name says"

    def ask(number: str, body: bytes) -> m.ActReply:
        cli.send(m.ActRequest(number, "root", "config.arm", body))
        office.turn()
        reply = office.of("cli:1", m.ActReply)[-1]
        assert isinstance(reply, m.ActReply)
        return reply

    encode = msgspec.msgpack.encode
    assert ask("1", b"\xc1").code == "act.malformed"
    assert ask("2", encode(ArmConfig(hash="../x"))).code == "config.no_hash"
    assert ask("3", encode(ArmConfig(hash="e" * 64))).code == "config.unreadable"
    assert ask("4", encode(ArmConfig(hash="f" * 64))).code == "config.changed"
    assert raised(office, "fault.config.bundle") == ["hub:config"]
    assert office.armed == []
    assert ask("5", encode(ArmConfig(hash=digest))).ok
    assert (office.armed, raised(office, "fault.config.bundle")) == ([digest], [])
    assert office.hub.state.hub.config_hash == digest
    office.journal.broken = True
    assert ask("6", encode(ArmConfig(hash=digest))).code == "journal.not_durable"


def test_bundle_that_a_room_cannot_digest_at_the_start_falls_back() -> None:
    """Design §5 Configuration: also after an update of the hub's own code."""
    office = Office()
    for data in (config.dump(small_site()), config.dump(small_site(LOOP))):
        office.bundles[config.digest(data)] = data
    first, second = office.bundles
    for digest in (first, second):
        office.desk.arming.arm(digest, "os:root", office_cause())
    arm, calls = office.kernel.people.arm, iter([True])

    def fails() -> None:
        if next(calls, False):
            raise LookupError("a kind that this release does not know")
        arm()

    office.kernel.people.arm = fails  # type: ignore[method-assign]
    office.desk.arming.load()
    office.desk.arming.report()
    assert office.hub.state.hub.config_hash == first
    assert raised(office, "fault.config.bundle") == ["hub:config"]


def test_bundle_whose_arming_was_not_durable_is_taken_back() -> None:
    """Design §2: nothing permissive stands that was not durable."""
    office = Office()
    first, second = small_site(LOOP), small_site()
    for bundle in (first, second):
        office.bundles[config.digest(config.dump(bundle))] = config.dump(bundle)
    one, two = list(office.bundles)
    office.desk.arming.arm(one, "os:root", office_cause())
    office.hub.durable(office.journal.durable_seq)
    office.journal.held = True
    office.desk.arming.arm(two, "os:root", office_cause())
    assert office.hub.bundle == second
    office.health.notice(DiskFault("journal_io_error", "x"))
    assert office.hub.bundle == first
    assert office.hub.state.hub.config_hash == one


def office_cause() -> "envelopes.Cause":
    return envelopes.Cause(actor="os:root")


def test_silent_host_is_a_fault_then_started_afresh() -> None:
    """Design §3: a hanging host's zones are unmonitored, which is an alarm."""
    office = Office()
    office.join("host:loop", "host")
    for _ in range(SILENT):
        office.pulse.beat()
    assert raised(office, "fault.host") == []
    office.pulse.beat()
    assert raised(office, "fault.host") == ["host:loop"]
    office.desk.receive("host:loop", m.Alive(4))
    assert raised(office, "fault.host") == []
    for _ in range(HOPELESS + 1):
        office.pulse.beat()
    assert office.restarted == ["host:loop"]


def test_host_that_never_comes_is_a_fault_too() -> None:
    office = Office()
    for _ in range(SILENT + 1):
        office.pulse.beat()
    assert raised(office, "fault.host") == ["host:loop"]
    office.join("host:loop", "host")
    assert raised(office, "fault.host") == []


def test_clock_that_steps_is_an_event_and_an_untrusted_one_an_alarm() -> None:
    """Design §5 Time: wall-clock steps are events."""
    office = Office()
    office.clock.step_wall(3_600)
    office.clock.advance(1.5)
    office.hub.advance()
    assert office.hub.state.hub.clock_steps == 1
    assert raised(office, "fault.clock") == []
    office.clock.step_wall(-40 * 365 * 86_400)
    office.clock.advance(1.5)
    office.hub.advance()
    assert office.hub.state.hub.clock_steps == 2
    assert raised(office, "fault.clock") == ["hub:clock"]
    office.clock.step_wall(40 * 365 * 86_400)
    office.clock.advance(1.5)
    office.hub.advance()
    assert raised(office, "fault.clock") == []


def test_live_rows_go_to_who_keeps_up_and_wholly_to_who_comes_later() -> None:
    office = Office()
    host = office.join("host:loop", "host")
    host.send(m.Declare(DEVICE, {"h2s": 1}))
    office.turn()
    office.desk.receive("host:loop", m.Readings(0, [m.Row(1, 3.0)]))
    office.join("gateway", "gateway")
    office.desk.live()
    office.turn()
    (first,) = office.of("gateway", m.Live)
    assert isinstance(first, m.Live)
    assert first.full
    assert [row.value for row in first.rows] == [3.0]
    office.desk.receive("host:loop", m.Readings(0, [m.Row(1, 4.0)]))
    office.desk.live()
    office.desk.live()
    office.turn()
    (_, second) = office.of("gateway", m.Live)
    assert isinstance(second, m.Live)
    assert ([row.value for row in second.rows], second.full) == ([4.0], False)


def test_process_in_a_crash_loop_is_a_fault_until_it_runs_well() -> None:
    """Reliability §5: running for a moment is no recovery."""
    office = Office()
    office.health.process("archive", "failed", "exit 1")
    assert raised(office, "fault.host") == ["hub:archive"]
    office.health.process("archive", "running", "")
    office.clock.advance(30)
    office.hub.advance()
    assert raised(office, "fault.host") == ["hub:archive"]
    office.clock.advance(40)
    office.hub.advance()
    assert "hub:archive" not in raised(office, "fault.host")
    assert office.desk.processes == {"archive": "running"}


def test_secrets_that_cannot_be_read_are_an_alarm_and_no_crash() -> None:
    """A host is welcomed without them: it fails by itself, core does not."""
    office = Office()
    office.desk.hosts.secrets_told = office.health.secrets

    def damaged(_names: tuple[str, ...]) -> dict[str, str]:
        raise OSError("secrets.json is damaged")

    office.desk.hosts._secrets = damaged
    office.join("host:loop", "host")
    (welcome,) = office.of("host:loop", m.Welcome)
    assert isinstance(welcome, m.Welcome)
    assert welcome.secrets == {}
    assert raised(office, "fault.disk") == ["hub:secrets"]
    office.desk.hosts._secrets = lambda names: dict.fromkeys(names, "s")
    office.join("host:loop", "host")
    assert raised(office, "fault.disk") == []


def test_two_hosts_events_of_one_name_are_both_answered() -> None:
    """R6: two subjects never share a slot."""
    office = Office()
    hosts = [office.join(name, "host") for name in ("host:loop", "host:other")]
    office.journal.broken = True
    for host in hosts:
        host.send(m.DeviceEvent("nobody", "gate", {}, "e-1"))
    office.turn()
    office.health.notice(DiskFault("journal_disk_full", "x"))
    office.journal.broken = False
    office.journal.sync()
    office.hub.durable(office.journal.durable_seq)
    office.health.notice(DiskOk())
    office.turn()
    for name in ("host:loop", "host:other"):
        assert office.of(name, m.EventDurable) == [m.EventDurable("e-1")]


def test_a_helmet_that_counts_anew_calls_for_help_anew() -> None:
    """Design §2: a call is never dropped; its number may come twice."""
    office = Office()
    host = office.join("host:loop", "host")
    call = m.DeviceEvent("helmet", "sos", {}, "helmet#sos#1")
    for _ in range(2):
        host.send(call)
        host.send(call)
        office.turn()
        (alarm,) = office.kernel.alarms.active(kind_prefix="sos")
        office.kernel.alarms.clear(alarm.source, alarm.condition)
    reports = [envelopes.decode(data).type for data in office.journal.stored]
    assert reports.count("device.reported") == 2
    assert alarm.count == 2


def test_what_a_hanging_host_said_last_is_worth_nothing_when_it_ends() -> None:
    """R16: design §3, its zones are unmonitored."""
    office = Office()
    host = office.join("host:loop", "host")
    host.send(m.Declare(DEVICE, {"h2s": 1}))
    office.turn()
    for _ in range(SILENT + 2):
        office.pulse.beat()
    now = office.hub.clock.mono_ns()
    office.kernel.readings.receive("host:loop", m.Readings(now, [m.Row(1, 1.0)]))
    entity = office.kernel.registry.find("host:loop", DEVICE.uid, "h2s")
    assert entity is not None
    assert office.kernel.readings.get(entity).quality is Quality.GOOD
    office.pulse.lost("host:loop", "lost")
    assert office.kernel.readings.get(entity).quality is not Quality.GOOD


def test_an_error_of_our_own_can_be_reset_once_a_person_has_seen_it() -> None:
    """ISA-18.2: no alarm stands for ever because nothing can end it."""
    office = Office()
    office.health.error("a room", LookupError("once"))
    (alarm,) = office.kernel.alarms.active(kind_prefix="fault.core")
    assert not office.kernel.alarms.judged(alarm)
