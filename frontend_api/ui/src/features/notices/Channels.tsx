import { NativeSelect, TextInput } from '@mantine/core';
import { IconBellRinging, IconPlus, IconTrash } from '@tabler/icons-react';
import { useEffect, useState, type FormEvent } from 'react';
import { useSection } from '../../api/hooks';
import { put, Refusal, remove } from '../../api/rest';
import type { ContactList, ContactView, ProblemView } from '../../api/schema';
import { Card, Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { PushError, pushFault, subscribe, thisDevice, unsubscribe } from './push';
import { channelName, State } from './State';

type Props = { list: ContactList; changed: () => void };

/** My channels: this device, SMS, mail, chats; each with a test and its states. */
export function Channels({ list, changed }: Props) {
  const { t } = useWords();
  const [here, setHere] = useState('');
  const [problem, setProblem] = useState<ProblemView | null>(null);
  useEffect(() => void thisDevice().then(setHere, () => undefined), [list]);
  const drop = (channel: string) => {
    setProblem(null);
    void remove(`/api/v1/my/channels/${encodeURIComponent(channel)}`)
      .then(() => (channel === here ? unsubscribe() : undefined))
      .then(changed, (error: unknown) => {
        if (error instanceof Refusal) setProblem(error.problem);
      });
  };
  return (
    <Card title={t('told.channels')} note={t('told.channels_note')} className="wide-card">
      <ul className="devices">
        <li>
          <div>
            <b>{t('told.channel.screen')}</b>
            <span>{t('told.screen_note')}</span>
          </div>
        </li>
        {list.items.map((one) => (
          <One key={one.channel} one={one} here={one.channel === here} drop={() => drop(one.channel)} />
        ))}
      </ul>
      <Refused problem={problem} />
      {list.push_key && !list.items.some((one) => one.channel === here && one.hint) && <ThisDevice pushKey={list.push_key} changed={changed} />}
      <Add list={list} changed={changed} />
    </Card>
  );
}

function One({ one, here, drop }: { one: ContactView; here: boolean; drop: () => void }) {
  const { t } = useWords();
  return (
    <li>
      <div>
        <b>
          {channelName(one.channel, t)}
          {here ? ` · ${t('device.this')}` : ''}
        </b>
        <span>
          {one.hint ? `${t(`told.service.${one.service}`, { defaultValue: one.service })} ${one.hint}` : t('told.no_address')}
        </span>
      </div>
      <div className="acts">
        <Test channel={one.channel} />
        {!one.fixed && (
          <button type="button" className="btn warn" onClick={drop} aria-label={t('told.drop_name', { channel: channelName(one.channel, t) })}>
            <IconTrash size={20} aria-hidden />
            {t('told.drop')}
          </button>
        )}
      </div>
    </li>
  );
}

/** Send a test by one channel and show each state as it comes. */
export function Test({ channel }: { channel: string }) {
  const { t } = useWords();
  const { ask, busy, problem } = useAct();
  const [notice, setNotice] = useState('');
  const record = useSection('notices')[notice];
  const state = record?.channels[channel];
  return (
    <>
      <button
        type="button"
        className="btn"
        disabled={busy}
        aria-label={t('told.test_name', { channel: channelName(channel, t) })}
        onClick={() => void ask('notice.test', { channel }).then((done) => setNotice(String(done?.notice_id ?? '')))}
      >
        <IconBellRinging size={20} aria-hidden />
        {t('told.test')}
      </button>
      <span role="status" className="told-result">
        {state && <State state={state} detail={record.details[channel]} />}
      </span>
      <Refused problem={problem} />
    </>
  );
}

function ThisDevice({ pushKey, changed }: { pushKey: string; changed: () => void }) {
  const { t } = useWords();
  const [why, setWhy] = useState<string | null>(pushFault());
  const [problem, setProblem] = useState<ProblemView | null>(null);
  const [busy, setBusy] = useState(false);
  const go = async () => {
    setBusy(true);
    setProblem(null);
    setWhy(null);
    try {
      await subscribe(pushKey);
      changed();
    } catch (error) {
      if (error instanceof PushError) setWhy(error.why);
      else if (error instanceof Refusal) setProblem(error.problem);
      else setWhy('no_service');
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="stack told-push">
      <button type="button" className="btn primary big" disabled={busy || why === 'insecure' || why === 'unsupported'} onClick={() => void go()}>
        <IconBellRinging size={22} aria-hidden />
        {t(busy ? 'push.waiting' : 'push.enable')}
      </button>
      <p className="note">{t('push.note')}</p>
      {why && (
        <p className="refused" role="alert">
          {t(`push.${why}`)}
        </p>
      )}
      <Refused problem={problem} />
    </div>
  );
}

const KINDS = ['sms', 'mail', 'other'] as const;
type Kind = (typeof KINDS)[number];
const NAME = /^[a-z0-9][a-z0-9_.-]{0,31}$/;

function Add({ list, changed }: Props) {
  const { t } = useWords();
  const [kind, setKind] = useState<Kind>('sms');
  const [name, setName] = useState('chat');
  const [address, setAddress] = useState('');
  const [problem, setProblem] = useState<ProblemView | null>(null);
  const channel = kind === 'other' ? name : kind;
  const missing = (kind === 'sms' && !list.modem) || (kind === 'mail' && !list.relay);
  const send = (event: FormEvent) => {
    event.preventDefault();
    setProblem(null);
    void put(`/api/v1/my/channels/${encodeURIComponent(channel)}`, { address: address.trim() }).then(
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
    <form className="told-add" onSubmit={send}>
      <NativeSelect
        label={t('told.kind')}
        value={kind}
        onChange={(event) => setKind(event.currentTarget.value as Kind)}
        data={KINDS.map((one) => ({ value: one, label: t(`told.kind.${one}`) }))}
      />
      {kind === 'other' && (
        <TextInput label={t('told.name')} description={t('told.name_note')} value={name} error={NAME.test(name) ? null : t('told.name_bad')} onChange={(event) => setName(event.currentTarget.value)} />
      )}
      <TextInput
        label={t(`told.address.${kind}`)}
        description={kind === 'other' ? t('told.address.note', { services: list.services.filter((one) => !['sms', 'push', 'mail'].includes(one)).join(', ') }) : undefined}
        type={kind === 'sms' ? 'tel' : kind === 'mail' ? 'email' : 'text'}
        autoComplete="off"
        value={address}
        required
        maxLength={1000}
        onChange={(event) => setAddress(event.currentTarget.value)}
      />
      <button type="submit" className="btn" disabled={!address.trim() || !NAME.test(channel)}>
        <IconPlus size={20} aria-hidden />
        {t('told.add')}
      </button>
      {missing && <p className="note">{t(`told.missing.${kind}`)}</p>}
      <Refused problem={problem} />
    </form>
  );
}
