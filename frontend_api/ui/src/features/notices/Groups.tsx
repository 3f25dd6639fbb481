import { TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { put, Refusal } from '../../api/rest';
import type { ContactList, ProblemView } from '../../api/schema';
import { useSession } from '../../api/session';
import { Card, Refused } from '../../components/Bits';
import { useWords } from '../../i18n';
import { Test } from './Channels';

const KEEPERS = ['owner', 'safety_officer', 'maintainer'];

/** The site's groups and its mail server: addresses that no person owns. */
export function Groups({ list, changed }: { list: ContactList; changed: () => void }) {
  const { t, say } = useWords();
  const roles = useSession().roles;
  if (!roles.some((role) => KEEPERS.includes(role))) return null;
  return (
    <Card title={t('groups.title')} note={t('groups.note')} className="wide-card">
      <ul className="devices">
        {list.groups.map((group) => (
          <li key={group.channel}>
            <div>
              <b>{say(group.names)}</b>
              <span>{group.hint || t('told.no_address')}</span>
            </div>
            <div className="acts">
              <Test channel={group.channel} />
            </div>
            <Address id={group.channel} label={t('groups.address', { name: say(group.names) })} changed={changed} />
          </li>
        ))}
        <li>
          <div>
            <b>{t('groups.relay')}</b>
            <span>{t(list.relay ? 'groups.relay_kept' : 'told.no_address')}</span>
          </div>
          <Address id="relay.mail" label={t('groups.relay_address')} changed={changed} />
        </li>
      </ul>
      {!list.groups.length && <p className="note">{t('groups.none')}</p>}
    </Card>
  );
}

function Address({ id, label, changed }: { id: string; label: string; changed: () => void }) {
  const { t } = useWords();
  const [address, setAddress] = useState('');
  const [problem, setProblem] = useState<ProblemView | null>(null);
  const send = (event: FormEvent) => {
    event.preventDefault();
    setProblem(null);
    void put(`/api/v1/notice-groups/${encodeURIComponent(id)}`, { address: address.trim() }).then(
      () => {
        setAddress('');
        changed();
      },
      (error: unknown) => {
        if (error instanceof Refusal) setProblem(error.problem);
      },
    );
  };
  return (
    <form className="inline told-address" onSubmit={send}>
      <TextInput label={label} value={address} maxLength={1000} autoComplete="off" onChange={(event) => setAddress(event.currentTarget.value)} />
      <button type="submit" className="btn" disabled={!address.trim()}>
        {t('groups.keep')}
      </button>
      <Refused problem={problem} />
    </form>
  );
}
