import { TextInput } from '@mantine/core';
import { useState } from 'react';
import { useSection } from '../../api/hooks';
import { useMay } from '../../api/session';
import { Card, Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';

const HASH = 64;

/** Switches that one person alone may not turn: asked here, signed by two. */
export function TwoPersons() {
  const { t } = useWords();
  const may = useMay();
  return (
    <Card title={t('two.title')} note={t('two.note')} className="wide-card">
      {(may('gas.oxygen_check') || may('gas.oxygen_check_end')) && <Oxygen />}
      {may('config.loosen') && <Loosen />}
    </Card>
  );
}

function Oxygen() {
  const { t } = useWords();
  const may = useMay();
  const hub = useSection('hub').hub;
  const { ask, busy, problem } = useAct();
  const [reason, setReason] = useState('');
  const on = hub?.oxygen_check ?? false;
  const verb = on ? 'gas.oxygen_check_end' : 'gas.oxygen_check';
  const send = async () => {
    await ask(verb, { reason: reason.trim() });
    setReason('');
  };
  return (
    <form
      className="stack"
      aria-label={t('oxygen.title')}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <h3 className="part-title">{t('oxygen.title')}</h3>
      <p className={on ? 'late' : 'note'} role="status">
        {on ? t('oxygen.on', { reason: hub?.oxygen_reason ?? '' }) : t('oxygen.off')}
      </p>
      {may(verb) && (
        <>
          <TextInput label={t('dialog.reason')} required maxLength={300} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          <button type="submit" className={on ? 'btn warn big' : 'btn big'} disabled={busy || !reason.trim()}>
            {t(on ? 'oxygen.end' : 'oxygen.allow')}
          </button>
        </>
      )}
      <Refused problem={problem} />
    </form>
  );
}

/** A published configuration by its number: one person's word, or two where it loosens. */
function Loosen() {
  const { t } = useWords();
  const { ask, busy, problem } = useAct();
  const [hash, setHash] = useState('');
  const [armed, setArmed] = useState('');
  const whole = hash.trim().toLowerCase();
  const second = problem?.code === 'config.second_needed';
  const send = async () => {
    setArmed('');
    if (await ask(second ? 'config.loosen' : 'config.arm', { hash: whole })) setArmed(whole.slice(0, 12));
  };
  return (
    <form
      className="stack"
      aria-label={t('arm.title')}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <h3 className="part-title">{t('arm.title')}</h3>
      <p className="note">{t('arm.note')}</p>
      <TextInput label={t('arm.hash')} autoCapitalize="none" spellCheck={false} maxLength={HASH} value={hash} onChange={(event) => setHash(event.currentTarget.value)} />
      <button type="submit" className="btn big" disabled={busy || whole.length !== HASH}>
        {t(second ? 'arm.second' : 'arm.do')}
      </button>
      <Refused problem={problem} />
      {armed && (
        <p className="good" role="status">
          {t('arm.done', { hash: armed })}
        </p>
      )}
    </form>
  );
}
