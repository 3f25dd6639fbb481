import { Modal, PasswordInput, TextInput } from '@mantine/core';
import { IconId, IconKeyboard } from '@tabler/icons-react';
import { useState } from 'react';
import { Link as Anchor } from 'wouter';
import { useDevice } from '../../api/device';
import type { ForOther } from '../../api/rest';
import type { PersonView } from '../../api/schema';
import { useMay, useSession } from '../../api/session';
import { Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { Fold, useNames, type Part } from './parts';
import { stepsOf, type Step } from './steps';

/** Whose steps a witness or a terminal may sign; the hub says the same. */
const BY_OTHERS = ['worker', 'guardian'];
/** Let those sign who have no phone: by PIN beside a witness, by card at a terminal. */
export function ForOthers(part: Part) {
  const { t, say } = useWords();
  const { file, permit } = part;
  const session = useSession();
  const may = useMay();
  const { people } = useNames();
  const steps = (one: PersonView) => stepsOf(file, permit, one, { t, say });
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
