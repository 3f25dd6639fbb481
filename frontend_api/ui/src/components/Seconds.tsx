import { IconSignature, IconUsers } from '@tabler/icons-react';
import { useState } from 'react';
import { useBeat, useSection } from '../api/hooks';
import { Refusal, remove, signSecond } from '../api/rest';
import type { ProblemView, SecondView } from '../api/schema';
import { useSession } from '../api/session';
import { store } from '../api/store';
import { span } from '../app/format';
import { useWords } from '../i18n';
import { Refused } from './Bits';

/** Acts of two persons: what this person asked for, and what others ask of them. */
export function Seconds() {
  const session = useSession();
  const all = Object.values(useSection('seconds'));
  const mine = all.filter((one) => one.by === session.person_id);
  const asked = all.filter((one) => one.by !== session.person_id && one.state === 'waiting' && one.roles.some((role) => session.roles.includes(role)));
  if (!mine.length && !asked.length) return null;
  return (
    <div className="notices">
      {asked.map((one) => (
        <Asked key={one.id} one={one} />
      ))}
      {mine.map((one) => (
        <Mine key={one.id} one={one} />
      ))}
    </div>
  );
}

function useName() {
  const people = useSection('people');
  return (id: string) => people[id]?.name ?? id;
}

/** Say what is to be done, word by word as both sign it. */
function What({ one }: { one: SecondView }) {
  const { t } = useWords();
  const fields = Object.entries(one.body).filter(([, value]) => value !== '' && value !== null);
  return (
    <>
      <b>{t(`second.what.${one.verb}`, { defaultValue: one.verb })}</b>
      {fields.map(([name, value]) => (
        <span key={name} className="second-field">
          {t(`second.field.${name}`, { defaultValue: name })}: {typeof value === 'string' ? value : JSON.stringify(value)}
        </span>
      ))}
    </>
  );
}

function useLeft(one: SecondView): string {
  const { t } = useWords();
  useBeat();
  return span(Math.max(0, one.until_ms - store.now()), t);
}

function useSend() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  const send = async (work: () => Promise<unknown>) => {
    setBusy(true);
    setProblem(null);
    try {
      await work();
    } catch (error) {
      setProblem(error instanceof Refusal ? error.problem : NO_KEY);
    } finally {
      setBusy(false);
    }
  };
  return { send, busy, problem };
}

const NO_KEY: ProblemView = {
  type: '',
  title: 'device.unsigned',
  status: 0,
  code: 'signature.required',
  detail: '',
  params: {},
  sentences: { zh: '本设备没有可用的签名密钥', en: 'This device has no key to sign with' },
};

function Asked({ one }: { one: SecondView }) {
  const { t } = useWords();
  const name = useName();
  const left = useLeft(one);
  const { send, busy, problem } = useSend();
  return (
    <section className="notice second" aria-label={t('second.asked', { name: name(one.by) })}>
      <IconUsers size={26} aria-hidden />
      <div>
        <p>{t('second.asked', { name: name(one.by) })}</p>
        <What one={one} />
        <p className="note">{t('second.left', { span: left })}</p>
        <Refused problem={problem} />
      </div>
      <div className="acts">
        <button type="button" className="btn primary" disabled={busy} onClick={() => void send(() => signSecond(one))}>
          <IconSignature size={20} aria-hidden />
          {t('second.sign')}
        </button>
        <button type="button" className="btn" disabled={busy} onClick={() => void send(() => remove(`/api/v1/seconds/${one.id}`))}>
          {t('second.decline')}
        </button>
      </div>
    </section>
  );
}

function Mine({ one }: { one: SecondView }) {
  const { t, say } = useWords();
  const name = useName();
  const left = useLeft(one);
  const roles = one.roles.map((role) => t(`role.${role}`)).join(t('list.comma'));
  const { send, busy, problem } = useSend();
  return (
    <section className={`notice second ${one.state}`} aria-label={t(`second.${one.state}`, { name: name(one.second ?? ''), roles })}>
      <IconUsers size={26} aria-hidden />
      <div>
        <p role="status">{t(`second.${one.state}`, { name: name(one.second ?? ''), roles })}</p>
        <What one={one} />
        {one.state === 'waiting' && <p className="note">{t('second.left', { span: left })}</p>}
        {one.state === 'refused' && <p className="refused">{say(one.text)}</p>}
        <Refused problem={problem} />
      </div>
      {one.state === 'waiting' && (
        <div className="acts">
          <button type="button" className="btn" disabled={busy} onClick={() => void send(() => remove(`/api/v1/seconds/${one.id}`))}>
            {t('second.back')}
          </button>
        </div>
      )}
    </section>
  );
}
