import { MultiSelect, Select } from '@mantine/core';
import { IconFileCheck } from '@tabler/icons-react';
import { useState } from 'react';
import { useSection } from '../../api/hooks';
import type { ActBodies } from '../../api/schema';
import { Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { Ask, type Answers } from './Ask';
import { FieldInput, type Filled } from './FieldInput';
import { useNames, type Part } from './parts';

/** Fill in the form: people, the form's own fields, and what the work is. */
export function ApplyForm({ file, permit, done }: Part) {
  const { t, say } = useWords();
  const { people } = useNames();
  const permits = Object.values(useSection('permits')).filter((one) => one.id !== permit.id && one.legal && !['closed', 'rejected'].includes(one.status));
  const { ask, busy, problem } = useAct();
  const [workers, setWorkers] = useState<string[]>(permit.workers);
  const [guardians, setGuardians] = useState<string[]>(file.guardians);
  const [trades, setTrades] = useState<Record<string, string>>({});
  const [linked, setLinked] = useState<string[]>(permit.linked);
  const [coordinator, setCoordinator] = useState<string | null>(null);
  const [fields, setFields] = useState<Filled>({});
  const [facts, setFacts] = useState<Answers>({});
  const asked = file.law.fields.filter((field) => !field.own && field.type !== 'signature');
  const missing = asked.filter((field) => field.required && (fields[field.id] === undefined || fields[field.id] === '')).length;
  const unanswered = file.law.questions.filter((one) => facts[one.fact] === undefined).length;
  const ready = workers.length > 0 && (!file.law.guardian || guardians.length > 0) && !missing && !unanswered;
  const pick = (role?: string) => people.filter((one) => !role || one.roles.includes(role)).map((one) => ({ value: one.id, label: one.name }));
  const send = async () => {
    const holders = Object.entries(trades).filter(([, person]) => workers.includes(person));
    await ask(
      'permit.apply',
      {
        permit_id: file.id,
        workers,
        guardians,
        trades: Object.fromEntries(holders.map(([trade, person]) => [person, trade.split('|')[0]!])),
        linked,
        coordinator: coordinator ?? '',
        fields: fields as ActBodies['permit.apply']['fields'],
        facts,
      },
      file.version,
    );
    done();
  };
  return (
    <section className="card form" aria-label={t('apply.title')}>
      <header>
        <h2>{t('apply.title')}</h2>
      </header>
      <MultiSelect label={t('permit.workers')} required searchable data={pick()} value={workers} onChange={setWorkers} />
      <MultiSelect label={t('permit.guardian')} required={file.law.guardian} searchable data={pick('guardian').filter((one) => !workers.includes(one.value))} value={guardians} onChange={setGuardians} />
      {file.law.trades.map((trade) => (
        <Select key={trade} label={t('apply.holds', { trade })} data={pick().filter((one) => workers.includes(one.value))} value={trades[trade] ?? null} onChange={(person) => setTrades({ ...trades, [trade]: person ?? '' })} />
      ))}
      {permits.length > 0 && <MultiSelect label={t('permit.linked')} searchable data={permits.map((one) => ({ value: one.id, label: one.title }))} value={linked} onChange={setLinked} />}
      {linked.length > 0 && <Select label={t('apply.coordinator')} data={pick()} value={coordinator} onChange={setCoordinator} />}
      {asked.map((field) => (
        <FieldInput key={field.id} field={field} permitId={file.id} value={fields[field.id]} set={(value) => setFields({ ...fields, [field.id]: value })} />
      ))}
      {file.law.questions.length > 0 && (
        <div className="asks">
          <h3>{t('apply.what')}</h3>
          {file.law.questions.map((question) => (
            <Ask key={question.fact} question={question} value={facts[question.fact]} set={(value) => {
              const { [question.fact]: _, ...rest } = facts;
              setFacts(value === undefined ? rest : { ...rest, [question.fact]: value });
            }} />
          ))}
        </div>
      )}
      <Refused problem={problem} />
      {!ready && <p className="note" role="status">{t('apply.missing', { fields: missing, facts: unanswered })}</p>}
      <button type="button" className="btn primary huge" disabled={busy || !ready} onClick={() => void send()}>
        <IconFileCheck size={24} aria-hidden />
        {t('apply.do')}
      </button>
      <p className="note">{say(file.law.names)} · {file.law.clause}</p>
    </section>
  );
}
