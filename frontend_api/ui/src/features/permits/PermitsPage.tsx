import { TextInput } from '@mantine/core';
import { IconClipboardOff, IconClipboardPlus, IconSearch } from '@tabler/icons-react';
import { lazy, Suspense, useEffect, useState } from 'react';
import { Link as Anchor } from 'wouter';
import { useBeat, useSection, useSite } from '../../api/hooks';
import { get } from '../../api/rest';
import type { KindCard, KindCards, PermitView } from '../../api/schema';
import { useMay } from '../../api/session';
import { moment } from '../../app/format';
import { Empty } from '../../components/Bits';
import { PermitCard, PermitStatus } from '../../components/PermitCard';
import { useWords } from '../../i18n';
import { useNames, useZone } from './parts';

const IssueDialog = lazy(() => import('./IssueDialog').then((all) => ({ default: all.IssueDialog })));

/** The groups in which permits are listed, the most urgent first. */
const GROUPS = {
  stopped: ['held', 'verifying', 'expired'],
  running: ['active'],
  preparing: ['booked', 'applied', 'analysed', 'approved', 'briefed'],
  ending: ['completed', 'accepted', 'cancelled', 'withdrawn', 'superseded'],
  over: ['closed', 'rejected'],
} as const;
type Group = keyof typeof GROUPS;
const ORDER: string[] = Object.values(GROUPS).flat();

export function PermitsPage() {
  const { t, say } = useWords();
  const may = useMay();
  const site = useSite();
  const [issuing, setIssuing] = useState(false);
  const [group, setGroup] = useState<Group | null>(null);
  const [words, setWords] = useState('');
  const [kinds, setKinds] = useState<KindCard[]>([]);
  const { name } = useNames();
  useEffect(() => void get<KindCards>('/api/v1/permit_kinds').then((list) => setKinds(list.items), () => undefined), []);
  const all = Object.values(useSection('permits'));
  const wanted = words.trim().toLowerCase();
  const fits = (one: PermitView) => {
    const zone = site?.zones.find((each) => each.id === one.zone_id)?.names;
    const people = [one.supervisor_id, one.guardian_id, ...one.guardians, ...one.workers].map(name);
    return [one.title, one.id, one.unit, say(one.kind_names), say(zone), ...people].join(' ').toLowerCase().includes(wanted);
  };
  const permits = all
    .filter((one) => (!group || (GROUPS[group] as readonly string[]).includes(one.status)) && (!wanted || fits(one)))
    .sort((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status) || b.issued_ms - a.issued_ms);
  const legal = new Set(kinds.map((one) => one.id));
  const simple = (site?.permit_kinds ?? []).some((one) => !legal.has(one.id));
  return (
    <div className="page work">
      <div className="page-head">
        <h2>{t('nav.permits')}</h2>
        {simple && may('permit.issue') && (
          <button type="button" className={kinds.length ? 'btn' : 'btn primary'} onClick={() => setIssuing(true)}>
            <IconClipboardPlus size={20} aria-hidden />
            {t('permit.issue')}
          </button>
        )}
        {kinds.length > 0 && may('permit.book') && (
          <Anchor href="/permits/new" className="btn primary">
            <IconClipboardPlus size={20} aria-hidden />
            {t('book.title')}
          </Anchor>
        )}
      </div>
      <TextInput
        type="search"
        aria-label={t('permits.search')}
        placeholder={t('permits.search')}
        leftSection={<IconSearch size={20} aria-hidden />}
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
      />
      <div className="filters" role="group" aria-label={t('permits.which')}>
        <Filter on={group === null} count={all.length} go={() => setGroup(null)}>
          {t('permits.open')}
        </Filter>
        {(Object.keys(GROUPS) as Group[]).map((one) => (
          <Filter key={one} on={group === one} count={all.filter((each) => (GROUPS[one] as readonly string[]).includes(each.status)).length} go={() => setGroup(group === one ? null : one)}>
            {t(`group.${one}`)}
          </Filter>
        ))}
      </div>
      <div className="cards">
        {permits.map((permit) => (permit.legal ? <Row key={permit.id} permit={permit} /> : <PermitCard key={permit.id} permit={permit} />))}
        {!permits.length && <Empty icon={<IconClipboardOff size={32} aria-hidden />}>{t(all.length ? 'permits.no_match' : 'permits.none')}</Empty>}
      </div>
      {issuing && (
        <Suspense fallback={null}>
          <IssueDialog open close={() => setIssuing(false)} />
        </Suspense>
      )}
    </div>
  );
}

function Filter(props: { on: boolean; count: number; go: () => void; children: string }) {
  return (
    <button type="button" className="filter" aria-pressed={props.on} onClick={props.go}>
      {props.children} <b>{props.count}</b>
    </button>
  );
}

function Row({ permit }: { permit: PermitView }) {
  const { t, say } = useWords();
  const site = useSite();
  const zone = useZone(permit.zone_id);
  const { name, list } = useNames();
  useBeat(30_000);
  return (
    <article className={`permit ${permit.status}`} aria-label={permit.title}>
      <Anchor href={`/permits/${permit.id}`} className="permit-link">
        <div className="permit-head">
          <div>
            <h3>{permit.title}</h3>
            <p>
              {say(permit.kind_names)} · {zone}
            </p>
          </div>
          <PermitStatus status={permit.status} />
        </div>
        {permit.holds.length > 0 && (
          <ul className="hold">
            {permit.holds.map((hold) => (
              <li key={hold.id}>{say(hold.text)}</li>
            ))}
          </ul>
        )}
        <dl className="facts">
          <div>
            <dt>{t('permit.supervisor')}</dt>
            <dd>{name(permit.supervisor_id)}</dd>
          </div>
          <div>
            <dt>{t('permit.until')}</dt>
            <dd>{moment(permit.valid_until_ms, site?.time_zone ?? 'UTC')}</dd>
          </div>
          <div>
            <dt>{t('permit.workers')}</dt>
            <dd>{list(permit.workers) || '—'}</dd>
          </div>
          <div>
            <dt>{t('permit.guardian')}</dt>
            <dd>{permit.guardian_id ? name(permit.guardian_id) : list(permit.guardians) || '—'}</dd>
          </div>
        </dl>
      </Anchor>
    </article>
  );
}
