import { Modal, PasswordInput, TextInput } from '@mantine/core';
import { IconId, IconKeyboard } from '@tabler/icons-react';
import { useState } from 'react';
import { Link as Anchor } from 'wouter';
import { useDevice } from '../../api/device';
import type { ForOther } from '../../api/rest';
import type { ActBodies, PersonView } from '../../api/schema';
import { useMay, useSession } from '../../api/session';
import { Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { Fold, useNames, type Part } from './parts';

/** Whose steps a witness or a terminal may sign; the hub says the same. */
const BY_OTHERS = ['worker', 'guardian'];
const AT_WORK = ['active', 'held', 'verifying'];

type Verb = 'permit.take_briefing' | 'person.verify' | 'guardian.take_over' | 'guardian.here' | 'permit.sign' | 'permit.confirm';
interface Step {
  key: string;
  verb: Verb;
  body: ActBodies[Verb];
  version?: number;
  words: string;
}

/** What a person would sign now, had they a phone. */
function useSteps({ file, permit }: Part): (person: PersonView) => Step[] {
  const { t, say } = useWords();
  const permit_id = file.id;
  const unverified = file.open.some((one) => one.facts.some((fact) => fact.fact === 'people_verified' || fact.fact === 'verified_age_min'));
  return (person) => {
    const steps: Step[] = [];
    if (file.told.includes(person.id) && !file.briefed.includes(person.id)) {
      steps.push({ key: 'told', verb: 'permit.take_briefing', body: { permit_id }, words: t('next.permit.take_briefing') });
    }
    if (file.offered_to === person.id) {
      steps.push({ key: 'over', verb: 'guardian.take_over', body: { permit_id }, words: t('next.guardian.take_over') });
    }
    if (file.asked_guardian === person.id) {
      steps.push({ key: 'here', verb: 'guardian.here', body: { permit_id }, words: t('next.here') });
    }
    for (const due of file.due.filter((one) => one.verb === 'permit.sign')) {
      const named = due.people.includes(person.id);
      if (due.barred.includes(person.id)) continue;
      if (!named && (due.people.length > 0 || !due.roles.some((role) => person.roles.includes(role)))) continue;
      const slot = file.law.slots.find((one) => one.id === due.slot);
      steps.push({
        key: due.slot,
        verb: 'permit.sign',
        body: { permit_id, slot: due.slot, content: file.content },
        version: file.version,
        words: t('next.sign', { slot: say(slot?.names) || due.slot }),
      });
    }
    if (unverified || AT_WORK.includes(file.status)) {
      steps.push({ key: 'there', verb: 'person.verify', body: { zone_id: permit.zone_id }, words: t('guard.here') });
    }
    if (permit.guardian_id === person.id && file.status === 'active') {
      steps.push({ key: 'confirm', verb: 'permit.confirm', body: { permit_id }, version: file.version, words: t('next.confirm') });
    }
    return steps;
  };
}

/** Let those sign who have no phone: by PIN beside a witness, by card at a terminal. */
export function ForOthers(part: Part) {
  const { t } = useWords();
  const { file, permit } = part;
  const session = useSession();
  const may = useMay();
  const { people } = useNames();
  const steps = useSteps(part);
  const [who, setWho] = useState<PersonView | null>(null);
  const ids = new Set([...permit.workers, permit.guardian_id, ...file.guardians, file.offered_to]);
  const others = people
    .filter((one) => ids.has(one.id) && one.id !== session.person_id && one.roles.some((role) => BY_OTHERS.includes(role)))
    .filter((one) => steps(one).length > 0);
  if (!others.length || !may('permit.gas_test')) return null;
  return (
    <Fold title={t('for.title')} note={t('for.count', { count: others.length })}>
      <p className="note">{t('for.note')}</p>
      <div className="picks" role="group" aria-label={t('for.who')}>
        {others.map((one) => (
          <button key={one.id} type="button" className="pick" onClick={() => setWho(one)}>
            {one.name}
          </button>
        ))}
      </div>
      <Modal opened={who !== null} onClose={() => setWho(null)} title={t('for.person', { name: who?.name ?? '' })} centered closeButtonProps={{ 'aria-label': t('dialog.close') }}>
        {who && <Sign key={who.id} who={who} steps={steps(who)} done={part.done} close={() => setWho(null)} />}
      </Modal>
    </Fold>
  );
}

function Sign({ who, steps, done, close }: { who: PersonView; steps: Step[]; done: () => void; close: () => void }) {
  const { t } = useWords();
  const { standing, terminal } = useDevice();
  const { ask, busy, problem } = useAct();
  const [chosen, setChosen] = useState(steps[0]?.key ?? '');
  const [by, setBy] = useState<'pin' | 'card'>(terminal === 'active' ? 'card' : 'pin');
  const [secret, setSecret] = useState('');
  const step = steps.find((one) => one.key === chosen) ?? steps[0];
  const able = by === 'pin' ? standing === 'active' : terminal === 'active';
  const send = async () => {
    if (!step) return;
    const other: ForOther = by === 'pin' ? { person: who.id, pin: secret } : { person: who.id, card: secret.trim() };
    const signed = await ask(step.verb, step.body, step.version, other);
    setSecret('');
    done();
    if (signed) close();
  };
  if (!step) return <p className="note">{t('for.nothing')}</p>;
  return (
    <form
      className="work stack"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <div className="picks column" role="group" aria-label={t('for.what')}>
        {steps.map((one) => (
          <button key={one.key} type="button" className="pick" aria-pressed={one.key === step.key} onClick={() => setChosen(one.key)}>
            {one.words}
          </button>
        ))}
      </div>
      <div className="picks" role="group" aria-label={t('for.how')}>
        <button type="button" className="pick" aria-pressed={by === 'pin'} onClick={() => setBy('pin')}>
          <IconKeyboard size={22} aria-hidden />
          {t('for.pin')}
        </button>
        <button type="button" className="pick" aria-pressed={by === 'card'} onClick={() => setBy('card')}>
          <IconId size={22} aria-hidden />
          {t('for.card')}
        </button>
      </div>
      {by === 'pin' ? (
        <PasswordInput label={t('for.pin_of', { name: who.name })} description={t('for.pin_note')} inputMode="numeric" autoComplete="off" maxLength={12} value={secret} onChange={(event) => setSecret(event.currentTarget.value.replace(/\D/g, ''))} disabled={!able} />
      ) : (
        <TextInput label={t('for.card_of', { name: who.name })} description={t('for.card_note')} autoComplete="off" autoCapitalize="none" spellCheck={false} data-autofocus maxLength={80} value={secret} onChange={(event) => setSecret(event.currentTarget.value)} disabled={!able} />
      )}
      {!able && (
        <p className="late">
          {t(by === 'pin' ? 'for.no_key' : 'for.no_terminal')}{' '}
          <Anchor href="/settings" className="textlink">
            {t('nav.settings')}
          </Anchor>
        </p>
      )}
      {able && by === 'pin' && <p className="note">{t('for.witness', { name: who.name })}</p>}
      <Refused problem={problem} />
      <button type="submit" className="btn primary huge" disabled={busy || !able || secret.trim().length < (by === 'pin' ? 6 : 1)}>
        {t('for.do', { name: who.name })}
      </button>
    </form>
  );
}
