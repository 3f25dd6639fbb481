import { NumberInput, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useSection } from '../../api/hooks';
import { useMay } from '../../api/session';
import { Card, Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';

/** People without a tag: counted in and out by badge and number. */
export function Visitors() {
  const { t } = useWords();
  const may = useMay();
  const people = useSection('people');
  const visitors = Object.values(useSection('visitors'));
  const [badge, setBadge] = useState('');
  const [count, setCount] = useState(1);
  const [host, setHost] = useState<string | null>(null);
  const { ask, busy, problem } = useAct();
  if (!visitors.length && !may('visitor.sign_in')) return null;
  const signIn = () =>
    ask('visitor.sign_in', { badge: badge.trim(), count, zone_id: '', host_id: host ?? '' }).then((done) => {
      if (done) setBadge('');
    });
  return (
    <Card title={t('visitor.title')} note={t('visitor.heads', { count: visitors.reduce((sum, one) => sum + one.count, 0) })}>
      <ul className="visitors">
        {visitors.map((one) => (
          <li key={one.id}>
            <b>{one.id}</b>
            <span>
              ×{one.count}
              {one.host_id ? ` · ${t('visitor.with', { name: people[one.host_id]?.name ?? one.host_id })}` : ''}
            </span>
            {may('visitor.sign_out') && (
              <button type="button" className="btn" disabled={busy} aria-label={t('visitor.out_name', { name: one.id })} onClick={() => void ask('visitor.sign_out', { badge: one.id })}>
                {t('visitor.out')}
              </button>
            )}
          </li>
        ))}
      </ul>
      {may('visitor.sign_in') && (
        <form
          className="visitor-form"
          onSubmit={(event) => {
            event.preventDefault();
            void signIn();
          }}
        >
          <TextInput label={t('visitor.badge')} maxLength={40} value={badge} onChange={(event) => setBadge(event.currentTarget.value)} />
          <NumberInput hideControls label={t('visitor.count')} min={1} max={999} value={count} onChange={(value) => setCount(Number(value) || 1)} />
          <Select
            label={t('visitor.host')}
            searchable
            clearable
            data={Object.values(people).map((one) => ({ value: one.id, label: one.name }))}
            value={host}
            onChange={setHost}
          />
          <button type="submit" className="btn primary" disabled={busy || !badge.trim()}>
            {t('visitor.in')}
          </button>
        </form>
      )}
      <Refused problem={problem} />
    </Card>
  );
}
