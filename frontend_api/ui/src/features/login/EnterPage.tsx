import { PasswordInput, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import { post, Refusal } from '../../api/rest';
import type { ClaimReply, PickView, ProblemView } from '../../api/schema';
import { Refused } from '../../components/Bits';
import { LanguageSwitch, LookSwitch } from '../../components/Switches';
import { useWords } from '../../i18n';

const LEAST = 10;

/** The door: claim a new hub, log in, or open an account with a one-time code. */
export function EnterPage({ claimed, entered }: { claimed: boolean; entered: () => void }) {
  const { t } = useWords();
  const [enrolling, setEnrolling] = useState(false);
  return (
    <main className="enter">
      <div className="enter-top">
        <LookSwitch />
        <LanguageSwitch />
      </div>
      <div className="enter-box">
        <div className="enter-brand">
          <img src="/icon.svg" alt="" width={52} height={52} />
          <div>
            <b>{t('app.name')}</b>
            <span>{t('app.line')}</span>
          </div>
        </div>
        {!claimed && <Claim entered={entered} />}
        {claimed && !enrolling && <Login entered={entered} enrol={() => setEnrolling(true)} />}
        {claimed && enrolling && <Enrol entered={entered} back={() => setEnrolling(false)} />}
      </div>
      <p className="enter-foot">{t('enter.foot')}</p>
    </main>
  );
}

function useSend(entered: () => void) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  async function send<T>(path: string, body: unknown): Promise<T | null> {
    setBusy(true);
    setProblem(null);
    try {
      return await post<T>(path, body);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      setProblem(error.problem);
      // Claimed meanwhile by somebody else: this page has to become the login.
      if (error.problem.code === 'gateway.claimed') entered();
      return null;
    } finally {
      setBusy(false);
    }
  }
  return { send, busy, problem };
}

function Passwords(props: { password: string; again: string; set: (password: string, again: string) => void }) {
  const { t } = useWords();
  const { password, again, set } = props;
  const differ = again.length > 0 && again !== password;
  return (
    <>
      <PasswordInput label={t('enter.password')} description={t('enter.least', { least: LEAST })} required autoComplete="new-password" value={password} onChange={(event) => set(event.currentTarget.value, again)} />
      <PasswordInput label={t('enter.again')} required autoComplete="new-password" value={again} error={differ ? t('enter.differ') : undefined} onChange={(event) => set(password, event.currentTarget.value)} />
    </>
  );
}

const fits = (password: string, again: string) => password.length >= LEAST && password === again;

function Claim({ entered }: { entered: () => void }) {
  const { t } = useWords();
  const [code, setCode] = useState('');
  const [people, setPeople] = useState<PickView[] | null>(null);
  const [person, setPerson] = useState<string | null>(null);
  const [[password, again], setPassword] = useState(['', '']);
  const { send, busy, problem } = useSend(entered);
  const submit = async () => {
    if (!people) {
      const reply = await send<ClaimReply>('/api/v1/auth/claim', { code });
      if (reply?.people) {
        setPeople(reply.people);
        setPerson(reply.people.find((one) => one.roles.includes('owner'))?.id ?? null);
      }
    } else if (await send('/api/v1/auth/claim', { code, person_id: person, password })) {
      entered();
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h1>{t('claim.title')}</h1>
      <p>{t(people ? 'claim.who' : 'claim.how')}</p>
      {!people && (
        <TextInput className="code" label={t('claim.code')} placeholder="XXXX-XXXX-XXXX" required autoComplete="one-time-code" autoCapitalize="characters" spellCheck={false} value={code} onChange={(event) => setCode(event.currentTarget.value)} />
      )}
      {people && (
        <>
          <Select label={t('claim.person')} required searchable data={people.map((one) => ({ value: one.id, label: one.name }))} value={person} onChange={setPerson} />
          <Passwords password={password!} again={again!} set={(a, b) => setPassword([a, b])} />
        </>
      )}
      <Refused problem={problem} />
      <button type="submit" className="btn primary big" disabled={busy || (people ? !person || !fits(password!, again!) : !code.trim())}>
        {t(people ? 'claim.do' : 'claim.next')}
      </button>
    </form>
  );
}

function Login({ entered, enrol }: { entered: () => void; enrol: () => void }) {
  const { t } = useWords();
  const [account, setAccount] = useState('');
  const [password, setPassword] = useState('');
  const { send, busy, problem } = useSend(entered);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void send('/api/v1/auth/login', { account, password }).then((done) => done && entered());
      }}
    >
      <h1>{t('login.title')}</h1>
      <TextInput label={t('login.account')} description={t('login.account_note')} required autoComplete="username" value={account} onChange={(event) => setAccount(event.currentTarget.value)} />
      <PasswordInput label={t('enter.password')} required autoComplete="current-password" value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
      <Refused problem={problem} />
      <button type="submit" className="btn primary big" disabled={busy || !account.trim() || !password}>
        {t('login.do')}
      </button>
      <button type="button" className="btn big" onClick={enrol}>
        {t('login.enrol')}
      </button>
    </form>
  );
}

function Enrol({ entered, back }: { entered: () => void; back: () => void }) {
  const { t } = useWords();
  const [code, setCode] = useState('');
  const [[password, again], setPassword] = useState(['', '']);
  const { send, busy, problem } = useSend(entered);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void send('/api/v1/auth/enrol', { code, password }).then((done) => done && entered());
      }}
    >
      <h1>{t('enrol.title')}</h1>
      <p>{t('enrol.how')}</p>
      <TextInput className="code" label={t('enrol.code')} required autoComplete="one-time-code" value={code} onChange={(event) => setCode(event.currentTarget.value)} />
      <Passwords password={password!} again={again!} set={(a, b) => setPassword([a, b])} />
      <Refused problem={problem} />
      <button type="submit" className="btn primary big" disabled={busy || !code.trim() || !fits(password!, again!)}>
        {t('enrol.do')}
      </button>
      <button type="button" className="btn big" onClick={back}>
        {t('dialog.cancel')}
      </button>
    </form>
  );
}
