import { Select, TextInput } from '@mantine/core';
import { IconCheck, IconDeviceMobile, IconId, IconKey, IconTrash } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { Link as Anchor } from 'wouter';
import { enrol, enrolTerminal, loadDevice, useDevice } from '../../api/device';
import { useSection, useSite } from '../../api/hooks';
import { Refusal } from '../../api/rest';
import type { KeyView, ProblemView } from '../../api/schema';
import { useMay, useSession } from '../../api/session';
import { moment } from '../../app/format';
import { Card, Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';

/** How long the second tap of a revocation is waited for. */
const SECOND_TAP_MS = 6000;

/** This device signs for me: make its key, see one's keys, revoke, approve. */
export function DeviceKey() {
  const { t } = useWords();
  const { standing, keys } = useDevice();
  const session = useSession();
  const may = useMay();
  const mine = keys.filter((key) => key.person_id === session.person_id && !key.revoked);
  const waiting = keys.filter((key) => key.pending && !key.revoked && key.person_id !== session.person_id);
  const others = keys.filter((key) => !key.revoked && !key.pending && key.person_id !== session.person_id);
  const revokes = session.roles.includes('safety_officer') || session.roles.includes('owner');
  return (
    <Card title={t('device.title')} className="wide-card device-key">
      <p className={`device-state ${standing}`} role="status">
        <IconDeviceMobile size={26} aria-hidden />
        <b>{t(`device.${standing}`)}</b>
      </p>
      <p className="note">{t(`device.${standing}_note`)}</p>
      {(standing === 'none' || standing === 'revoked' || standing === 'lost') && <Enrol first={!keys.some((key) => key.person_id === session.person_id)} />}
      <Terminal />
      <Keys title={t('device.mine')} keys={mine} revoke />
      {may('key.approve') && <Keys title={t('device.waiting')} keys={waiting} approve revoke />}
      {revokes && <Keys title={t('device.others')} keys={others} revoke />}
    </Card>
  );
}

function named(): string {
  const agent = navigator.userAgent;
  const kind = ['iPhone', 'iPad', 'Android', 'Windows', 'Mac', 'Linux'].find((one) => agent.includes(one));
  return kind ?? 'Web';
}

/** Ask for a key of this device; a refusal, or a browser that keeps none, is told. */
function useEnrol() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  const [failed, setFailed] = useState(false);
  const send = async (work: () => Promise<void>) => {
    setBusy(true);
    setProblem(null);
    setFailed(false);
    try {
      await work();
    } catch (error) {
      if (error instanceof Refusal) setProblem(error.problem);
      else setFailed(true);
    } finally {
      setBusy(false);
    }
  };
  return { send, busy, problem, failed };
}

function Enrol({ first }: { first: boolean }) {
  const { t } = useWords();
  const [label, setLabel] = useState(named());
  const { send, busy, problem, failed } = useEnrol();
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void send(() => enrol(label.trim()));
      }}
    >
      <TextInput label={t('device.label')} value={label} maxLength={80} required onChange={(event) => setLabel(event.currentTarget.value)} />
      <button type="submit" className="btn primary big" disabled={busy || !label.trim()}>
        <IconKey size={22} aria-hidden />
        {t('device.enrol')}
      </button>
      {!first && <p className="note">{t('device.second')}</p>}
      <Refused problem={problem} />
      {failed && (
        <p className="refused" role="alert">
          {t('device.broken_note')}
        </p>
      )}
    </form>
  );
}

/** A device that stands at a gate signs for whoever holds a card to it. */
function Terminal() {
  const { t, say } = useWords();
  const { terminal } = useDevice();
  const session = useSession();
  const site = useSite();
  const [open, setOpen] = useState(false);
  const [label, setLabel] = useState('');
  const [zone, setZone] = useState<string | null>(null);
  const { send, busy, problem, failed } = useEnrol();
  const none = terminal === 'none' || terminal === 'revoked' || terminal === 'lost';
  if (none && !session.roles.includes('owner')) return null;
  if (terminal === 'insecure' || terminal === 'broken' || terminal === 'loading') return null;
  if (!none) {
    return (
      <p className={`device-state ${terminal}`} role="status">
        <IconId size={26} aria-hidden />
        <b>{t(terminal === 'active' ? 'terminal.active' : 'terminal.pending')}</b>
        {terminal === 'active' && (
          <Anchor href="/gate" className="btn">
            {t('gate.open')}
          </Anchor>
        )}
      </p>
    );
  }
  if (!open) {
    return (
      <button type="button" className="btn" onClick={() => setOpen(true)}>
        <IconId size={20} aria-hidden />
        {t('terminal.begin')}
      </button>
    );
  }
  return (
    <form
      className="stack"
      aria-label={t('terminal.begin')}
      onSubmit={(event) => {
        event.preventDefault();
        void send(() => enrolTerminal(label.trim(), zone ?? ''));
      }}
    >
      <p className="note">{t('terminal.note')}</p>
      <TextInput label={t('device.label')} value={label} maxLength={80} required onChange={(event) => setLabel(event.currentTarget.value)} />
      <Select label={t('terminal.zone')} description={t('terminal.zone_note')} clearable clearButtonProps={{ 'aria-label': t('dialog.cancel') }} data={(site?.zones ?? []).map((one) => ({ value: one.id, label: say(one.names) }))} value={zone} onChange={setZone} />
      <button type="submit" className="btn primary big" disabled={busy || !label.trim()}>
        {t('terminal.do')}
      </button>
      <Refused problem={problem} />
      {failed && (
        <p className="refused" role="alert">
          {t('device.broken_note')}
        </p>
      )}
    </form>
  );
}

function Keys({ title, keys, approve, revoke }: { title: string; keys: KeyView[]; approve?: boolean; revoke?: boolean }) {
  const { t } = useWords();
  const { keyId } = useDevice();
  const site = useSite();
  const people = useSection('people');
  const session = useSession();
  const { ask, busy, problem } = useAct();
  const again = () => void loadDevice(session.person_id).catch(() => undefined);
  if (!keys.length) return null;
  return (
    <>
      <h3 className="part-title">{title}</h3>
      <ul className="devices keys">
        {keys.map((key) => (
          <li key={key.id}>
            <div>
              <b>
                {key.label}
                {key.id === keyId ? ` · ${t('device.this')}` : ''}
              </b>
              <span>
                {people[key.person_id]?.name ?? (key.person_id || t('device.terminal'))} · {moment(key.enrolled_ms, site?.time_zone ?? 'UTC')}
                {key.pending ? ` · ${t('device.is_pending')}` : ''}
              </span>
            </div>
            <div className="acts">
              {approve && (
                <button type="button" className="btn primary" disabled={busy} onClick={() => void ask('key.approve', { key_id: key.id }).then(again)}>
                  <IconCheck size={20} aria-hidden />
                  {t('device.approve')}
                </button>
              )}
              {revoke && <Revoke busy={busy} label={key.label} go={() => void ask('key.revoke', { key_id: key.id, why: 'lost' }).then(again)} />}
            </div>
          </li>
        ))}
      </ul>
      <Refused problem={problem} />
    </>
  );
}

function Revoke({ busy, label, go }: { busy: boolean; label: string; go: () => void }) {
  const { t } = useWords();
  const [sure, setSure] = useState(false);
  useEffect(() => {
    if (!sure) return;
    const timer = setTimeout(() => setSure(false), SECOND_TAP_MS);
    return () => clearTimeout(timer);
  }, [sure]);
  return (
    <button
      type="button"
      className="btn warn"
      disabled={busy}
      aria-label={t(sure ? 'device.revoke_name' : 'device.lost_name', { label })}
      onClick={() => (sure ? go() : setSure(true))}
    >
      <IconTrash size={20} aria-hidden />
      {t(sure ? 'device.revoke_sure' : 'device.revoke')}
    </button>
  );
}
