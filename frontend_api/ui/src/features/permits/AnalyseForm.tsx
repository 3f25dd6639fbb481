import { TextInput } from '@mantine/core';
import { IconPlus, IconShieldCheck } from '@tabler/icons-react';
import { useState } from 'react';
import { Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import type { Part } from './parts';

interface Line {
  text: string;
  control: string;
}
type Mark = 'done' | 'not' | undefined;

/** Name the hazards, and answer every measure: done, or not involved. */
export function AnalyseForm({ file, done }: Part) {
  const { t, say } = useWords();
  const { ask, busy, problem } = useAct();
  const [hazards, setHazards] = useState<Line[]>([{ text: '', control: '' }]);
  const [marks, setMarks] = useState<Record<string, Mark>>({});
  const [notes, setNotes] = useState<Record<string, string>>({});
  const named = hazards.filter((one) => one.text.trim() && one.control.trim());
  const halves = hazards.some((one) => Boolean(one.text.trim()) !== Boolean(one.control.trim()));
  const asked = file.law.measures.filter((one) => !one.free_text);
  const left = asked.filter((one) => !marks[one.id]).length;
  const ready = named.length > 0 && !halves && !left;
  const put = (i: number, part: Partial<Line>) => setHazards(hazards.map((one, n) => (n === i ? { ...one, ...part } : one)));
  const send = async () => {
    const answered = file.law.measures.filter((one) => marks[one.id] || notes[one.id]?.trim());
    await ask(
      'permit.analyse',
      {
        permit_id: file.id,
        hazards: named.map((one) => ({ text: one.text.trim(), control: one.control.trim() })),
        measures: Object.fromEntries(answered.map((one) => [one.id, { involved: marks[one.id] !== 'not', note: notes[one.id]?.trim() ?? '' }])),
      },
      file.version,
    );
    done();
  };
  return (
    <section className="card form" aria-label={t('analyse.title')}>
      <header>
        <h2>{t('analyse.title')}</h2>
      </header>
      <h3>{t('analyse.hazards')}</h3>
      {hazards.map((one, i) => (
        <div key={i} className="pair">
          <TextInput label={t('analyse.hazard')} value={one.text} maxLength={200} onChange={(event) => put(i, { text: event.currentTarget.value })} />
          <TextInput label={t('analyse.control')} value={one.control} maxLength={300} onChange={(event) => put(i, { control: event.currentTarget.value })} />
        </div>
      ))}
      <button type="button" className="btn" onClick={() => setHazards([...hazards, { text: '', control: '' }])}>
        <IconPlus size={20} aria-hidden />
        {t('analyse.more')}
      </button>
      <h3>{t('analyse.measures')}</h3>
      <ol className="measures">
        {file.law.measures.map((one) => (
          <li key={one.id}>
            <p id={`measure-${one.id}`}>
              {say(one.names)} {one.clause && <small>{one.clause}</small>}
            </p>
            {one.free_text ? (
              <TextInput aria-labelledby={`measure-${one.id}`} value={notes[one.id] ?? ''} maxLength={300} onChange={(event) => setNotes({ ...notes, [one.id]: event.currentTarget.value })} />
            ) : (
              <div className="picks" role="group" aria-labelledby={`measure-${one.id}`}>
                <button type="button" className="pick" aria-pressed={marks[one.id] === 'done'} onClick={() => setMarks({ ...marks, [one.id]: 'done' })}>
                  {t('analyse.done')}
                </button>
                <button type="button" className="pick" aria-pressed={marks[one.id] === 'not'} onClick={() => setMarks({ ...marks, [one.id]: 'not' })}>
                  {t('analyse.not_involved')}
                </button>
              </div>
            )}
          </li>
        ))}
      </ol>
      <Refused problem={problem} />
      {!ready && <p className="note" role="status">{t('analyse.left', { count: left })}</p>}
      <button type="button" className="btn primary huge" disabled={busy || !ready} onClick={() => void send()}>
        <IconShieldCheck size={24} aria-hidden />
        {t('analyse.do')}
      </button>
    </section>
  );
}
