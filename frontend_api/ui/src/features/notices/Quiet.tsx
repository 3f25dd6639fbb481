import { Switch, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { ContactList } from '../../api/schema';
import { Card, Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';

const two = (value: number) => String(value).padStart(2, '0');
export const clockOf = (minutes: number) => `${two(Math.floor(minutes / 60) % 24)}:${two(minutes % 60)}`;
export const minutesOf = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));

/** My quiet hours: only what can wait is held back by them. */
export function Quiet({ list, changed }: { list: ContactList; changed: () => void }) {
  const { t } = useWords();
  const { ask, busy, problem } = useAct();
  const kept = list.quiet[0];
  const [on, setOn] = useState(Boolean(kept));
  const [from, setFrom] = useState(clockOf(kept?.[0] ?? 22 * 60));
  const [to, setTo] = useState(clockOf(kept?.[1] ?? 6 * 60));
  useEffect(() => setOn(list.quiet.length > 0), [list]);
  const save = () => {
    const spans: [number, number][] = on ? [[minutesOf(from), minutesOf(to)]] : [];
    void ask('notice.quiet', { spans }).then(changed);
  };
  return (
    <Card title={t('quiet.title')}>
      <div className="setting">
        <Switch label={t('quiet.on')} checked={on} onChange={(event) => setOn(event.currentTarget.checked)} />
      </div>
      {on && (
        <div className="told-hours">
          <TextInput type="time" label={t('quiet.from')} value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
          <TextInput type="time" label={t('quiet.to')} value={to} onChange={(event) => setTo(event.currentTarget.value)} />
        </div>
      )}
      <div className="acts">
        <button type="button" className="btn" disabled={busy || (on && (!from || !to || from === to))} onClick={save}>
          {t('quiet.save')}
        </button>
      </div>
      <p className="note">{t(list.own_quiet ? 'quiet.own' : 'quiet.sites')}</p>
      <p className="note">
        <b>{t('quiet.never')}</b>
      </p>
      <Refused problem={problem} />
    </Card>
  );
}
