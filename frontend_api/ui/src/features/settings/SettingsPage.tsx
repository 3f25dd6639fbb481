import { Switch } from '@mantine/core';
import { IconBellRinging, IconLogout, IconUserPlus } from '@tabler/icons-react';
import { useCallback, useEffect, useState } from 'react';
import { Link as Anchor } from 'wouter';
import { useSection, useSite } from '../../api/hooks';
import { get, post, Refusal, remove } from '../../api/rest';
import type { AccountList, AccountView, InviteReply, ProblemView } from '../../api/schema';
import { useMay, useSession } from '../../api/session';
import { setSound, sound, soundOn } from '../../app/alerts';
import { clock } from '../../app/format';
import { Card, Refused } from '../../components/Bits';
import { LanguageSwitch, LookSwitch } from '../../components/Switches';
import { useWords } from '../../i18n';
import { DeviceKey } from './DeviceKey';
import { Pin } from './Pin';
import { Tokens } from './Tokens';
import { TwoPersons } from './TwoPersons';

export function SettingsPage({ left }: { left: () => void }) {
  const { t } = useWords();
  const session = useSession();
  const may = useMay();
  return (
    <div className="page">
      <div className="page-head">
        <h2>{t('nav.settings')}</h2>
      </div>
      <div className="cards">
        <Me left={left} />
        <DeviceKey />
        <Pin />
        <Screen />
        {(may('gas.oxygen_check') || may('config.loosen')) && <TwoPersons />}
        {session.roles.includes('owner') && <Accounts />}
        <Tokens />
      </div>
    </div>
  );
}

function Me({ left }: { left: () => void }) {
  const { t } = useWords();
  const session = useSession();
  return (
    <Card title={session.name}>
      <p className="chips">
        {session.roles.map((role) => (
          <span key={role} className="chip">
            {t(`role.${role}`)}
          </span>
        ))}
      </p>
      <div className="acts">
        <Anchor href="/notices" className="btn">
          <IconBellRinging size={18} aria-hidden />
          {t('settings.notices')}
        </Anchor>
        <button type="button" className="btn" onClick={() => void post('/api/v1/auth/logout').finally(left)}>
          <IconLogout size={18} aria-hidden />
          {t('settings.logout')}
        </button>
      </div>
    </Card>
  );
}

function Screen() {
  const { t } = useWords();
  const [on, set] = useState(soundOn());
  return (
    <Card title={t('settings.screen')}>
      <div className="setting">
        <span>{t('switch.language')}</span>
        <LanguageSwitch />
      </div>
      <div className="setting">
        <span>{t('switch.look')}</span>
        <LookSwitch words />
      </div>
      <div className="setting">
        <Switch
          label={t('settings.sound')}
          checked={on}
          onChange={(event) => {
            const next = event.currentTarget.checked;
            setSound(next);
            set(next);
            if (next) sound();
          }}
        />
      </div>
      <p className="note">{t('settings.sound_note')}</p>
      {!window.isSecureContext && <p className="note">{t('settings.insecure')}</p>}
    </Card>
  );
}

/** The owner hands each person a code; nobody else learns their password. */
function Accounts() {
  const { t } = useWords();
  const site = useSite();
  const session = useSession();
  const people = Object.values(useSection('people'));
  const [accounts, setAccounts] = useState<Record<string, AccountView>>({});
  const [code, setCode] = useState<InviteReply | null>(null);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  const load = useCallback(
    () =>
      get<AccountList>('/api/v1/accounts').then(
        (list) => setAccounts(Object.fromEntries(list.items.map((one) => [one.person_id, one]))),
        () => undefined,
      ),
    [],
  );
  useEffect(() => void load(), [load]);
  const attempt = (work: Promise<unknown>) =>
    work.then(load, (error: unknown) => {
      if (error instanceof Refusal) setProblem(error.problem);
    });
  return (
    <Card title={t('accounts.title')} note={t('accounts.note')} className="wide-card">
      {code && (
        <p className="secret" role="status">
          {t('accounts.code', { name: people.find((one) => one.id === code.person_id)?.name ?? '', until: clock(code.until_ms, site?.time_zone ?? 'UTC') })}
          <code>{code.code}</code>
        </p>
      )}
      <Refused problem={problem} />
      <ul className="devices">
        {people.map((person) => {
          const account = accounts[person.id];
          return (
            <li key={person.id}>
              <div>
                <b>{person.name}</b>
                <span>
                  {person.roles.map((role) => t(`role.${role}`)).join(t('list.comma'))} · {t(account?.enrolled ? 'accounts.has' : account ? 'accounts.invited' : 'accounts.none')}
                </span>
              </div>
              {person.id !== session.person_id && (
                <div className="acts">
                  <button type="button" className="btn" onClick={() => void attempt(post<InviteReply>('/api/v1/accounts', { person_id: person.id }).then(setCode))}>
                    <IconUserPlus size={18} aria-hidden />
                    {t('accounts.invite')}
                  </button>
                  {account && (
                    <button type="button" className="btn warn" onClick={() => void attempt(remove(`/api/v1/accounts/${encodeURIComponent(person.id)}`))}>
                      {t('accounts.remove')}
                    </button>
                  )}
                </div>
              )}
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
