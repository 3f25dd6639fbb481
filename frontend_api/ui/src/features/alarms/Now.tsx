import { IconBellOff, IconChevronDown, IconChevronRight, IconStack2, IconTool, IconWaveSine } from '@tabler/icons-react';
import { useState } from 'react';
import { useAlarms, useSection, useSite } from '../../api/hooks';
import type { AlarmGroupView, AlarmView } from '../../api/schema';
import { useMay } from '../../api/session';
import { moment } from '../../app/format';
import { ranked } from '../../components/AlarmBanner';
import { Card, Empty, Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { AlarmRow } from './AlarmRow';
import { Verdicts } from './Verdicts';

const LISTS = ['stale', 'chattering', 'suppressed', 'put_by'] as const;
type List = (typeof LISTS)[number];

/** The open alarms by their cause; a life-safety alarm always has its own line. */
export function Now() {
  const { t } = useWords();
  const alarms = useAlarms();
  const state = useSection('alarming').now;
  const groups = Object.values(useSection('groups'));
  const [list, setList] = useState<List | null>(null);
  const wanted = list && new Set(state?.[list] ?? []);
  const shown = ranked(alarms).filter((alarm) => !wanted || wanted.has(alarm.id));
  return (
    <>
      <Flood />
      <Lists list={list} choose={setList} />
      <div className="cards one">
        {wanted ? shown.map((alarm) => <AlarmRow key={alarm.id} alarm={alarm} />) : <Grouped alarms={shown} groups={groups} />}
        {!shown.length && <Empty icon={<IconBellOff size={32} aria-hidden />}>{t('alarms.none')}</Empty>}
        {!!state?.more && <p className="note">{t('alarms.more', { count: state.more })}</p>}
      </div>
      <Verdicts alarms={state?.unjudged ?? []} />
      <Serviced />
    </>
  );
}

/** More come than can be answered: say so, and what is done about it. */
function Flood() {
  const { t } = useWords();
  const site = useSite();
  const flood = useSection('alarming').now?.flood;
  if (!flood?.on) return null;
  return (
    <section className="flood" role="status">
      <IconWaveSine size={30} aria-hidden />
      <div>
        <h3>{t('flood.title', { count: flood.called_10min })}</h3>
        <p>{t('flood.note', { at: moment(flood.since_ms, site?.time_zone ?? 'UTC'), limit: flood.limit, operators: flood.operators })}</p>
      </div>
    </section>
  );
}

function Lists({ list, choose }: { list: List | null; choose: (list: List | null) => void }) {
  const { t } = useWords();
  const state = useSection('alarming').now;
  const full = LISTS.filter((one) => state?.[one].length || one === list);
  if (!state || !full.length) return null;
  return (
    <div className="choice" role="group" aria-label={t('alarms.lists')}>
      {full.map((one) => (
        <button key={one} type="button" className="btn" aria-pressed={list === one} onClick={() => choose(list === one ? null : one)}>
          {t(`alarms.list.${one}`)}
          <span className="count">{state[one].length}</span>
        </button>
      ))}
    </div>
  );
}

/** Groups order what is shown; an alarm that no group names yet stands by itself. */
function Grouped({ alarms, groups }: { alarms: AlarmView[]; groups: AlarmGroupView[] }) {
  const byId = new Map(alarms.map((alarm) => [alarm.id, alarm]));
  const gathered = groups.filter((group) => group.members.filter((id) => byId.has(id)).length > 1);
  const inside = new Set(gathered.flatMap((group) => group.members));
  const lines = alarms.filter((alarm) => alarm.life_safety || !inside.has(alarm.id));
  const urgent = lines.filter((alarm) => alarm.life_safety || alarm.priority <= 2);
  const rest = lines.filter((alarm) => !urgent.includes(alarm));
  return (
    <>
      {urgent.map((alarm) => (
        <AlarmRow key={alarm.id} alarm={alarm} />
      ))}
      {gathered.map((group) => (
        <Group key={group.id} group={group} alarms={group.members.flatMap((id) => byId.get(id) ?? [])} />
      ))}
      {rest.map((alarm) => (
        <AlarmRow key={alarm.id} alarm={alarm} />
      ))}
    </>
  );
}

function Group({ group, alarms }: { group: AlarmGroupView; alarms: AlarmView[] }) {
  const { t, say } = useWords();
  const [open, setOpen] = useState(false);
  const Chevron = open ? IconChevronDown : IconChevronRight;
  const unseen = alarms.filter((alarm) => !alarm.acknowledged).length;
  return (
    <section className="alarm-group">
      <button type="button" className="alarm-group-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Chevron size={22} aria-hidden />
        <IconStack2 size={22} aria-hidden />
        <b>{say(group.cause)}</b>
        <span className="quiet">
          {t('group.counts', { count: alarms.length, active: alarms.filter((alarm) => alarm.active).length, unseen })}
        </span>
      </button>
      {open && alarms.map((alarm) => <AlarmRow key={alarm.id} alarm={alarm} />)}
    </section>
  );
}

/** Devices that a named person has in maintenance: nothing there is watched by them. */
function Serviced() {
  const { t, say } = useWords();
  const may = useMay();
  const site = useSite();
  const people = useSection('people');
  const devices = Object.values(useSection('service'));
  const { ask, busy, problem } = useAct();
  if (!devices.length) return null;
  return (
    <Card title={t('service.title')} note={t('service.note')}>
      <ul className="devices">
        {devices.map((one) => (
          <li key={one.id}>
            <IconTool size={22} aria-hidden />
            <div>
              <b>{say(one.name)}</b>
              <p className="quiet">
                {people[one.person_id]?.name ?? one.person_id} · {one.reason} · {t('put.until', { at: moment(one.until_ms, site?.time_zone ?? 'UTC') })}
              </p>
            </div>
            {may('device.in_service') && (
              <div className="acts">
                <button type="button" className="btn" disabled={busy} onClick={() => void ask('device.in_service', { device_id: one.id })}>
                  {t('service.back')}
                </button>
              </div>
            )}
          </li>
        ))}
      </ul>
      <Refused problem={problem} />
    </Card>
  );
}
