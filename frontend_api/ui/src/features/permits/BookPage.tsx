import { Select, Switch, TextInput } from '@mantine/core';
import { IconArrowLeft, IconCalendarPlus } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useLocation } from 'wouter';
import { useSite } from '../../api/hooks';
import { get } from '../../api/rest';
import type { KindCard, KindCards } from '../../api/schema';
import { useSession } from '../../api/session';
import { store } from '../../api/store';
import { Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { useNames } from './parts';
import { When } from './When';

const HOUR = 3_600_000;
const LONGEST_H = 8;

/** Announce a work: first what it is, then where, when and who answers for it. */
export function BookPage() {
  const { t } = useWords();
  const [kinds, setKinds] = useState<KindCard[] | null>(null);
  const [kind, setKind] = useState<KindCard | null>(null);
  const [, go] = useLocation();
  useEffect(() => void get<KindCards>('/api/v1/permit_kinds').then((list) => setKinds(list.items), () => setKinds([])), []);
  return (
    <div className="page work">
      <div className="page-head">
        <h2>{t('book.title')}</h2>
        <button type="button" className="btn" onClick={() => (kind ? setKind(null) : go('/permits'))}>
          <IconArrowLeft size={20} aria-hidden />
          {t('book.back')}
        </button>
      </div>
      {!kind && <Kinds kinds={kinds ?? []} pick={setKind} />}
      {kind && <Book kind={kind} booked={(id) => go(`/permits/${id}`)} />}
    </div>
  );
}

function Kinds({ kinds, pick }: { kinds: KindCard[]; pick: (kind: KindCard) => void }) {
  const { t, say } = useWords();
  const packs = [...new Map(kinds.map((one) => [one.pack, one.pack_names])).entries()];
  return (
    <>
      <p className="lead">{t('book.which')}</p>
      {packs.map(([pack, names]) => (
        <section key={pack} aria-label={say(names)}>
          {packs.length > 1 && <h3 className="part-title">{say(names)}</h3>}
          <div className="kinds">
            {kinds
              .filter((one) => one.pack === pack)
              .map((one) => (
                <button key={one.id} type="button" className="kind" onClick={() => pick(one)}>
                  <b>{say(one.names)}</b>
                  {one.test_names && <span>{say(one.test_names)}</span>}
                  <small>
                    {one.clause}
                    {one.hours ? ` · ${t('book.hours', { hours: one.hours })}` : ''}
                  </small>
                </button>
              ))}
          </div>
        </section>
      ))}
    </>
  );
}

function Book({ kind, booked }: { kind: KindCard; booked: (id: string) => void }) {
  const { t, say } = useWords();
  const site = useSite();
  const session = useSession();
  const { people } = useNames();
  const { ask, busy, problem } = useAct();
  const leads = people.filter((one) => one.roles.some((role) => role === 'supervisor' || role === 'issuer'));
  const [zone, setZone] = useState<string | null>(null);
  const [title, setTitle] = useState('');
  const [unit, setUnit] = useState(() => people.find((one) => one.id === session.person_id)?.company ?? '');
  const [lead, setLead] = useState<string | null>(leads.some((one) => one.id === session.person_id) ? session.person_id : null);
  const [emergency, setEmergency] = useState(false);
  const [from, setFrom] = useState<number | undefined>(() => quarter(store.now() + kind.book_ahead_h * HOUR) + HOUR / 4);
  const [to, setTo] = useState<number | undefined>(() => (from ?? 0) + Math.min(kind.hours ?? LONGEST_H, LONGEST_H) * HOUR);
  const now = (on: boolean) => {
    setEmergency(on);
    const start = on ? quarter(store.now()) : quarter(store.now() + kind.book_ahead_h * HOUR) + HOUR / 4;
    setTo(start + Math.max(HOUR, (to ?? start) - (from ?? start)));
    setFrom(start);
  };
  const ready = zone && title.trim() && unit.trim() && lead && from && to && to > from;
  const send = async () => {
    const done = await ask('permit.book', {
      kind: kind.id,
      zone_id: zone!,
      title: title.trim(),
      unit: unit.trim(),
      supervisor_id: lead!,
      from_ms: from!,
      to_ms: to!,
      emergency,
    });
    if (done) booked(String(done.permit_id));
  };
  return (
    <form
      className="card form"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <h3>{say(kind.names)}</h3>
      <Select label={t('permit.zone')} required data={(site?.zones ?? []).map((one) => ({ value: one.id, label: say(one.names) }))} value={zone} onChange={setZone} />
      <TextInput label={t('permit.title')} required maxLength={80} value={title} onChange={(event) => setTitle(event.currentTarget.value)} />
      <TextInput label={t('book.unit')} required maxLength={80} value={unit} onChange={(event) => setUnit(event.currentTarget.value)} />
      <Select label={t('permit.supervisor')} required data={leads.map((one) => ({ value: one.id, label: one.name }))} value={lead} onChange={setLead} />
      <Switch size="lg" label={t('book.emergency')} description={t('book.emergency_note', { hours: kind.book_ahead_h })} checked={emergency} onChange={(event) => now(event.currentTarget.checked)} />
      <When label={t('book.from')} required value={from} set={setFrom} />
      <When label={t('book.to')} required value={to} set={setTo} description={kind.hours ? t('book.hours', { hours: kind.hours }) : undefined} />
      <Refused problem={problem} />
      <button type="submit" className="btn primary huge" disabled={busy || !ready}>
        <IconCalendarPlus size={24} aria-hidden />
        {t('book.do')}
      </button>
    </form>
  );
}

function quarter(ms: number): number {
  return Math.ceil(ms / (HOUR / 4)) * (HOUR / 4);
}
